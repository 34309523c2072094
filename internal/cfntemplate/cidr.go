package cfntemplate

import (
	"math/big"
	"net/netip"
	"strconv"
)

const defaultCidrBits = 8

// cidr evaluates Fn::Cidr.
func (e *evaluator) cidr(arg any) (any, error) {
	items, ok := listOf(arg, 2, 3)
	if !ok {
		return nil, refuse(textCidr)
	}
	var args [3]string
	args[2] = strconv.Itoa(defaultCidrBits)
	for i, item := range items {
		v, err := e.value(item)
		if err != nil {
			return nil, err
		}
		if u, ok := v.(Unknown); ok {
			return u, nil
		}
		if args[i], ok = text(v); !ok {
			return nil, refuse(textCidr)
		}
	}
	blocks, err := cidrBlocks(args[0], args[1], args[2])
	if err != nil {
		return nil, err
	}
	return blocks, nil
}

// cidrBlocks gives the first count blocks with bits host bits in the given block.
func cidrBlocks(block, count, bits string) ([]any, error) {
	prefix, err := netip.ParsePrefix(block)
	n, badCount := strconv.Atoi(count)
	host, badBits := strconv.Atoi(bits)
	if err != nil || badCount != nil || badBits != nil || n < 1 || n > 256 {
		return nil, refuse(textCidr)
	}
	prefix = prefix.Masked()
	mask := prefix.Addr().BitLen() - host
	if host < 1 || mask < prefix.Bits() || mask > prefix.Addr().BitLen() {
		return nil, refuse("Template error: Fn::Cidr cannot make blocks of %d subnet bits in %s", host, block)
	}
	if room := mask - prefix.Bits(); room < 9 && n > 1<<room {
		return nil, refuse("Template error: Fn::Cidr cannot make %d blocks of %d subnet bits in %s", n, host, block)
	}
	out := make([]any, n)
	step := new(big.Int).SetBit(new(big.Int), host, 1)
	next := new(big.Int).SetBytes(prefix.Addr().AsSlice())
	size := prefix.Addr().BitLen() / 8
	for i := range out {
		addr, _ := netip.AddrFromSlice(next.FillBytes(make([]byte, size)))
		out[i] = netip.PrefixFrom(addr, mask).String()
		next.Add(next, step)
	}
	return out, nil
}
