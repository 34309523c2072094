package cloud_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

func TestSnapshots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		c := over(func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			if !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/rds/aws4_request") {
				t.Errorf("signed for %s", r.Header.Get("Authorization"))
			}
			one := func(kind, name, day, status string) string {
				return fmt.Sprintf("<%[1]s><%[1]sIdentifier>%[2]s</%[1]sIdentifier><SnapshotCreateTime>2026-11-%[3]sT10:00:00Z</SnapshotCreateTime><Status>%[4]s</Status></%[1]s>", kind, name, day, status)
			}
			switch tries++; {
			case tries == 1:
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `<ErrorResponse><Error><Code>Throttling</Code><Message>slow</Message></Error></ErrorResponse>`)
			case r.Form.Get("DBClusterIdentifier") == "c":
				fmt.Fprintf(w, "<R><DescribeDBClusterSnapshotsResult><DBClusterSnapshots>%s</DBClusterSnapshots></DescribeDBClusterSnapshotsResult></R>", one("DBClusterSnapshot", "cs", "20", "creating"))
			case r.Form.Get("DBInstanceIdentifier") == "no":
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`)
			case r.Form.Get("Marker") == "":
				fmt.Fprintf(w, "<R><DescribeDBSnapshotsResult><Marker>m</Marker><DBSnapshots>%s</DBSnapshots></DescribeDBSnapshotsResult></R>", one("DBSnapshot", "late", "22", "available"))
			default:
				fmt.Fprintf(w, "<R><DescribeDBSnapshotsResult><DBSnapshots>%s</DBSnapshots></DescribeDBSnapshotsResult></R>", one("DBSnapshot", "early", "21", "available"))
			}
		})
		list, err := c.Snapshots(t.Context(), access, "AWS::RDS::DBInstance", "db")
		if err != nil || len(list) != 2 || list[0].Name != "early" || list[1].Name != "late" || !list[1].Ready {
			t.Errorf("%+v, %v", list, err)
		}
		if list, err = c.Snapshots(t.Context(), access, "AWS::RDS::DBCluster", "c"); err != nil || len(list) != 1 || list[0].Name != "cs" || list[0].Ready {
			t.Errorf("%+v, %v", list, err)
		}
		if _, err := c.Snapshots(t.Context(), access, "AWS::RDS::DBInstance", "no"); err == nil || !strings.Contains(err.Error(), "DescribeDBSnapshots") {
			t.Errorf("%v", err)
		}
		if _, err := c.Snapshots(t.Context(), access, "AWS::Neptune::DBCluster", "n"); err == nil {
			t.Error("a type of which nobody knows how is asked for")
		}
	})
}
