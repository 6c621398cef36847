"""Decode one raw record into a LogEntry: message, level, exceptions, WebSocket close."""
