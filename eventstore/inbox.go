package eventstore

import "strings"

// IsInbox tells whether a service may publish an answer to that reply subject: not
// where it would be an entry of the ledger, a request to one of Roznamcha's
// services, or an order to the server. No reply subject at all is no harm: nobody
// waits.
func IsInbox(reply string) bool {
	for _, not := range []string{"ledger.", "record.", "check.", "totals.", "$"} {
		if strings.HasPrefix(reply, not) {
			return false
		}
	}
	return true
}
