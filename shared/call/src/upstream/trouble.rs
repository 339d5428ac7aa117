//! Which errors matter (`protocols.md` §4.1, pitfalls 2 and 4).

use voicecore_wire::openai::ErrorBody;

use super::Trouble;

/// With these no session will ever work: trying again only spends the caller's patience.
const FATAL: [&str; 4] =
    ["insufficient_quota", "invalid_api_key", "account_deactivated", "billing_hard_limit_reached"];
/// How long to wait when a limit is hit and nothing says how long.
const DEFAULT_WAIT_MS: u64 = 1_000;
/// Longest wait that the caller can be asked for; after it the answer is tried in any case.
const MAX_WAIT_MS: u64 = 3_000;

/// What an `error` event (or the error of a failed answer) asks for; `None` when it is harmless.
pub(super) fn judge(error: &ErrorBody, reset_ms: Option<u64>) -> Option<Trouble> {
    let code = error.code.as_str();
    if FATAL.contains(&code) || FATAL.contains(&error.kind.as_str()) {
        return Some(Trouble::Fatal);
    }
    match code {
        "session_expired" => Some(Trouble::Replace),
        "inference_rate_limit_exceeded" | "rate_limit_exceeded" => {
            let after_ms = reset_ms.unwrap_or(DEFAULT_WAIT_MS).clamp(DEFAULT_WAIT_MS / 4, MAX_WAIT_MS);
            Some(Trouble::AskAgain { after_ms })
        }
        _ => None,
    }
}

/// The server's own fault: once may be chance, twice is a broken session.
pub(super) fn is_server_error(error: &ErrorBody) -> bool {
    error.code == "server_error" || error.kind == "server_error"
}

/// What a refused connection asks for.
pub(crate) fn refused(status: u16, body: &str) -> Trouble {
    if FATAL.iter().any(|code| body.contains(code)) {
        return Trouble::Fatal;
    }
    match status {
        // A busy provider (429 without quota words, 408, 5xx) or none at all (0) may be back in a moment.
        0 | 408 | 409 | 425 | 429 | 500..=599 => Trouble::Replace,
        // A wrong key, model or request stays wrong.
        _ => Trouble::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use super::{Trouble, judge, refused};
    use voicecore_wire::openai::ErrorBody;

    fn error(code: &str) -> ErrorBody {
        ErrorBody { code: code.to_owned(), ..ErrorBody::default() }
    }

    #[test]
    fn pitfall_02_quota_and_key_errors_are_never_retried() {
        for code in super::FATAL {
            assert_eq!(judge(&error(code), None), Some(Trouble::Fatal), "{code}");
            let body = format!(r#"{{"error":{{"code":"{code}"}}}}"#);
            assert_eq!(refused(429, &body), Trouble::Fatal, "{code}");
        }
        assert_eq!(refused(401, ""), Trouble::Fatal);
        assert_eq!(refused(429, r#"{"error":{"code":"rate_limit_exceeded"}}"#), Trouble::Replace);
        assert_eq!(refused(503, ""), Trouble::Replace);
        assert_eq!(refused(0, ""), Trouble::Replace);
    }

    #[test]
    fn pitfall_05_a_rate_limit_waits_as_long_as_the_limits_said() {
        let limited = error("inference_rate_limit_exceeded");
        assert_eq!(judge(&limited, None), Some(Trouble::AskAgain { after_ms: 1_000 }));
        assert_eq!(judge(&limited, Some(600)), Some(Trouble::AskAgain { after_ms: 600 }));
        assert_eq!(judge(&limited, Some(60_000)), Some(Trouble::AskAgain { after_ms: 3_000 }));
    }

    #[test]
    fn harmless_errors_do_nothing() {
        for code in ["response_cancel_not_active", "input_audio_buffer_commit_empty", "anything_new", ""] {
            assert_eq!(judge(&error(code), None), None, "{code}");
        }
    }
}
