package eventstore

import (
	"context"
	"time"
)

// Status is how the ledger stands, as its server tells.
type Status struct {
	Stream string `json:"stream"`
	// Entries is the number of the last entry, Missing how many before it the
	// server no longer has: more than 0 is an alarm.
	Entries uint64 `json:"entries"`
	Missing uint64 `json:"missing"`
	// Bytes are what they take on disk, on each replica.
	Bytes uint64 `json:"bytes"`
	// First and Last are the server times of the first and the last entry;
	// zero where there is none.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	// Asked is when the server told this, by its clock. An entry that it was just
	// storing, or a cluster was agreeing on, is not in it and may have an earlier time.
	Asked time.Time `json:"asked"`
	// Created is when the stream was made.
	Created time.Time `json:"created"`
	// Replicas is on how many servers it is kept, Current how many of them have
	// all of it, Leader the one that takes entries.
	Replicas int    `json:"replicas"`
	Current  int    `json:"current"`
	Leader   string `json:"leader,omitempty"`
	// Readers is how many consumers are open on it.
	Readers int `json:"readers"`
	// Server is the one that this connection has.
	Server ServerStatus `json:"server"`
}

// ServerStatus names a server.
type ServerStatus struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// URL has no token or password in it; "" for a server in this process.
	URL     string `json:"url,omitempty"`
	Cluster string `json:"cluster,omitempty"`
	// RoundTrip is how long it took to answer.
	RoundTrip time.Duration `json:"round_trip_ns"`
}

// Status asks the server how the ledger stands.
func (l *Ledger) Status(ctx context.Context) (Status, error) {
	began := time.Now()
	info, err := l.info(ctx, "status")
	if err != nil {
		return Status{}, err
	}
	state := info.State
	s := Status{
		Stream:   info.Config.Name,
		Entries:  state.LastSeq,
		Missing:  state.LastSeq - state.Msgs,
		Bytes:    state.Bytes,
		Asked:    info.TimeStamp.UTC(),
		Created:  info.Created.UTC(),
		Replicas: info.Config.Replicas,
		Current:  1,
		Readers:  state.Consumers,
		Server: ServerStatus{
			Name:      l.nc.ConnectedServerName(),
			Version:   l.nc.ConnectedServerVersion(),
			URL:       WithoutSecret(l.nc.ConnectedUrl()),
			Cluster:   l.nc.ConnectedClusterName(),
			RoundTrip: time.Since(began),
		},
	}
	if state.Msgs > 0 {
		s.First, s.Last = state.FirstTime.UTC(), state.LastTime.UTC()
	}
	if c := info.Cluster; c != nil {
		s.Leader = c.Leader
		for _, peer := range c.Replicas {
			if peer.Current && !peer.Offline {
				s.Current++
			}
		}
	}
	return s, nil
}
