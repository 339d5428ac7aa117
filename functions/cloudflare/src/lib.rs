//! VoiceCore on Cloudflare Workers.
