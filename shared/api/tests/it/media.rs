//! Who may open a media socket, and who may speak on it.

use axum::response::IntoResponse as _;
use proptest::prelude::*;
use voicecore_api::media::{self, MediaRefusal, TOKEN_LIFETIME, TokenError};
use voicecore_conformance::block_on;
use voicecore_types::{CallId, Millis};
use voicecore_wire::twilio::signature::sign;
use voicecore_wire::twilio::webhook::Form;

use crate::world::{AUTH_TOKEN, NOW, World, config};

const SID: &str = "CA00000000000000000000000000000001";

fn id(n: u8) -> CallId {
    CallId::new(NOW, &[n; 10])
}

#[test]
fn upgrade_needs_twilios_signature_of_the_socket() {
    let world = World::new();
    let authorize = |target: &str, signature: Option<&str>| {
        block_on(media::authorize_upgrade(&world.app, target, signature))
    };
    let target = format!("/media/{}", id(1));
    let signed = |url: String| sign(AUTH_TOKEN, &url, &Form::default());
    let good = signed(format!("wss://voice.example.com{target}"));
    assert_eq!(authorize(&target, Some(&good)), Ok(id(1)));
    let other = signed(format!("wss://voice.example.com/media/{}", id(2)));
    let https = signed(format!("https://voice.example.com{target}"));
    for signature in [None, Some(""), Some(other.as_str()), Some(https.as_str()), Some("x")] {
        let refused = authorize(&target, signature);
        assert_eq!(refused, Err(MediaRefusal::Signature), "{signature:?}");
    }
    for target in ["/media/", "/media/x", "/media", "/other", "", &format!("{target}/more")] {
        let signature = signed(format!("wss://voice.example.com{target}"));
        assert_eq!(authorize(target, Some(&signature)), Err(MediaRefusal::NotFound));
    }
    let blind = World::with(&[("TWILIO_AUTH_TOKEN", "")]);
    let refused = block_on(media::authorize_upgrade(&blind.app, &target, Some(&good))).unwrap_err();
    let statuses = [refused, MediaRefusal::Signature, MediaRefusal::NotFound]
        .map(|r| r.into_response().status().as_u16());
    assert_eq!(statuses, [503, 403, 404]);
}

#[test]
fn token_is_for_one_call_one_attempt_and_a_short_time() {
    let config = &config(&[]);
    let token = media::issue_token(config, id(1), SID, 3, NOW).unwrap();
    assert!(token.len() <= media::MAX_TOKEN_BYTES, "{}", token.len());
    let verify = |call, sid, token: &str, now| media::verify_token(config, call, sid, token, now);
    let last = NOW.plus(TOKEN_LIFETIME);
    assert_eq!(verify(id(1), SID, &token, NOW), Ok(3));
    assert_eq!(verify(id(1), SID, &token, last), Ok(3));
    assert_eq!(verify(id(1), SID, &token, last.plus(Millis(1))), Err(TokenError::Expired));
    assert_eq!(verify(id(2), SID, &token, NOW), Err(TokenError::Wrong));
    assert_eq!(verify(id(1), "CA00000000000000000000000000000002", &token, NOW), Err(TokenError::Wrong));
    assert_eq!(verify(id(1), SID, &token.replace("v1.3.", "v1.4."), NOW), Err(TokenError::Wrong));
    let other = crate::world::config(&[("JWT_SECRET", "another-secret-of-thirty-two-byt")]);
    assert_eq!(media::verify_token(&other, id(1), SID, &token, NOW), Err(TokenError::Wrong));
}

proptest! {
    #[test]
    fn no_text_is_a_token(text in ".{0,500}|v1\\.[0-9]{1,3}\\.[0-9]{13}\\.[A-Za-z0-9_-]{43}") {
        prop_assert_eq!(media::verify_token(&config(&[]), id(1), SID, &text, NOW), Err(TokenError::Wrong));
    }

    #[test]
    fn any_change_spoils_a_token(place in any::<prop::sample::Index>(), with in "[0-9A-Za-z._-]") {
        let config = config(&[]);
        let token = media::issue_token(&config, id(1), SID, 1, NOW).unwrap();
        let at = place.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(at..=at, &with);
        let verified = media::verify_token(&config, id(1), SID, &changed, NOW);
        prop_assert_eq!(verified.is_ok(), changed == token);
    }
}
