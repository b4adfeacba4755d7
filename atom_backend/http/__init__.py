"""The REST face: parse a request, call one service, present the answer; no other logic."""
