package engine

import (
	"errors"
	"testing"
	"time"
)

func FuzzStackPolicy(f *testing.F) {
	f.Add(`{"Statement":[{"Effect":"Deny","Action":"Update:Replace","Principal":"*","Resource":"LogicalResourceId/Vpc"}]}`, "Update:Replace", "Vpc")
	f.Add(`{"Statement":[{"Effect":"Allow","NotAction":["Update:Delete"],"Principal":"*","NotResource":["LogicalResourceId/D*"],"Condition":{"StringLike":{"ResourceType":["AWS::RDS::*"]}}}]}`, "Update:Modify", "Db")
	f.Add(`{"Statement":{}}`, "", "")
	f.Fuzz(func(t *testing.T, text, action, id string) {
		p, err := parsePolicy(text)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatalf("%v is not a refusal", err)
			}
			return
		}
		if allowed, statement := p.verdict(action, id, "AWS::EC2::VPC"); allowed && statement != 0 {
			t.Fatalf("allowed, but statement %d forbids", statement)
		}
	})
}

func FuzzPageToken(f *testing.F) {
	f.Add("", "Vpc")
	f.Add(token("Vpc"), "x")
	f.Add("%", "")
	f.Fuzz(func(t *testing.T, foreign, key string) {
		if _, err := after(foreign); err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatalf("%v is not a refusal", err)
			}
		}
		if back, err := after(token(key)); err != nil || back != key {
			t.Fatalf("%q became %q, %v", key, back, err)
		}
	})
}

func FuzzDuration(f *testing.F) {
	for _, seed := range []string{"PT5M", "PT12H", "P1DT1S", "P", "PT", "5", "P10000000D", "PT9223372036854775807S"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d := duration(text, time.Minute); d < 0 || d > longestSignal {
			t.Fatalf("%q lasts %v", text, d)
		}
	})
}
