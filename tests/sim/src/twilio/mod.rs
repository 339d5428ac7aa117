//! Twilio, played: REST, TwiML, media streams.
