package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Time limits of the port, so that a client that hangs does not hold anything.
const (
	headerTimeout   = 10 * time.Second
	requestTimeout  = time.Minute
	answerTimeout   = 5 * time.Minute // a fault may delay answers
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 5 * time.Second
)

// Listen opens a port. An address without a host is loopback; another host than
// loopback is refused unless the options allow it, since anybody who reaches the
// port may do anything.
func (s *Server) Listen(ctx context.Context, addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("serve: address %q: %w", addr, err)
	}
	if !s.opts.AllowRemote {
		if host == "" || host == "localhost" {
			host = "127.0.0.1"
		}
		if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
			return nil, fmt.Errorf("serve: %s is not a loopback address: the sandbox asks nobody for a password", host)
		}
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	return l, nil
}

// Serve opens a port and answers until the context ends.
func (s *Server) Serve(ctx context.Context, addr string) error {
	l, err := s.Listen(ctx, addr)
	if err != nil {
		return err
	}
	return s.ServeListener(ctx, l)
}

// ServeListener answers on a port until the context ends, then lets running
// requests finish.
func (s *Server) ServeListener(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // clients that vanish are no news
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	<-done
	return err
}
