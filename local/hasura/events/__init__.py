"""Scheduled events, cron triggers and table event triggers, and the delivery of their events to webhooks."""
