"""The log, the wake-ups and the buckets on NATS JetStream."""
