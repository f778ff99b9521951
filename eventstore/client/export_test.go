package client

import "time"

// MostFlights is how many requests are on their way at once.
const MostFlights = mostFlights

// SetPatience sets how long the client waits for the answer to a request.
func SetPatience(c *Client, d time.Duration) { c.record.patience, c.check.patience = d, d }

// Waiting is how many submissions are to be recorded and on no way yet.
func Waiting(c *Client) int {
	c.record.mu.Lock()
	defer c.record.mu.Unlock()
	return len(c.record.waiting)
}
