package client

import "time"

// SetPatience sets how long the client waits for the answer to a request.
func SetPatience(c *Client, d time.Duration) { c.record.patience, c.check.patience = d, d }
