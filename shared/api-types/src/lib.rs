//! Requests, responses, events and error codes of the HTTP API.
