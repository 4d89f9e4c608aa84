"""What Hasura calls webhooks for, and how: scheduled events, cron triggers and table event triggers."""
