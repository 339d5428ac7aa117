//! The mails that we send, and the jobs that send them. A job makes the token: so it is nowhere but in the mail, and what asks
//! for a mail takes as long whether or not anybody has the address. They are in the language of the tenant's callers, as far as we have
//! words in it.

mod words;

use serde::{Deserialize, Serialize};
use voicecore_domain::credentials::{INVITATION_LIFETIME, PASSWORD_RESET_LIFETIME};
use voicecore_domain::{InvitationToken, Language, PasswordResetToken};
use voicecore_ports::{Email as _, EmailMessage};
use voicecore_store::directory::{accounts, sessions};
use voicecore_store::{Scope, businesses, invitations};
use voicecore_types::{InvitationId, TenantId};

use crate::email::HttpEmail;
use crate::html::{escape, one_line};
use crate::{ApiError, AppState};

/// Where the web application is. It has pages of the same names as the API's own.
const DASHBOARD_PATH: &str = "/app";
/// Where the link of an invitation leads.
pub(crate) const INVITATION_PATH: &str = "/invitation";
/// Where the link for a new password leads.
pub(crate) const RESET_PATH: &str = "/reset-password";

/// The mail of an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MailInvitation {
    pub(crate) tenant_id: TenantId,
    pub(crate) invitation_id: InvitationId,
}

/// The mail by which somebody chooses a new password, if there is anybody with this address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MailPasswordReset {
    pub(crate) email: String,
}

/// Sends the mail of an invitation that is still open. Sent again, the last token is the one that is good.
pub(crate) async fn invite(app: &AppState, job: &MailInvitation) -> Result<(), ApiError> {
    let service = HttpEmail::new(app)?;
    let token = InvitationToken::new(&app.random());
    let scope = Scope::for_job(app.ports.db.clone(), job.tenant_id);
    let Some(unsent) = invitations::set_token(&scope, job.invitation_id, &token, app.now()).await? else {
        return Ok(());
    };
    let days = INVITATION_LIFETIME.0 / 86_400_000;
    let [subject, before, after] =
        words::of_invitation(language(&scope).await, &one_line(&unsent.tenant_name), days);
    let link = link(app, INVITATION_PATH, token.expose())?;
    let words = Words { subject, before, link, after };
    Ok(service.send(&words.message(&unsent.email, &token.hash())).await?)
}

/// Sends the mail for a new password to an active user. Nobody is told whether there is one.
pub(crate) async fn reset_password(app: &AppState, job: &MailPasswordReset) -> Result<(), ApiError> {
    let service = HttpEmail::new(app)?;
    let db = &*app.ports.db;
    let Some(account) = accounts::account(db, &job.email).await? else { return Ok(()) };
    let token = PasswordResetToken::new(&app.random());
    let now = app.now();
    accounts::create_password_reset(db, &token, account.user_id, now, now.plus(PASSWORD_RESET_LIFETIME))
        .await?;
    let language = match sessions::memberships(db, account.user_id).await?.first() {
        Some(first) => language(&Scope::for_job(app.ports.db.clone(), first.tenant_id)).await,
        None => Language::default(),
    };
    let [subject, before, after] = words::of_new_password(language, PASSWORD_RESET_LIFETIME.0 / 60_000);
    let link = link(app, RESET_PATH, token.expose())?;
    let words = Words { subject, before, link, after };
    Ok(service.send(&words.message(&job.email, &token.hash())).await?)
}

/// To a page of the dashboard where there is one, in the language of whoever opens it, or else to the API's own page.
fn link(app: &AppState, page: &str, token: &str) -> Result<String, ApiError> {
    let origin = app.config.public_url.get()?;
    let place = if app.config.dashboard { DASHBOARD_PATH } else { "" };
    Ok(format!("{origin}{place}{page}?token={token}"))
}

/// In which the tenant's first business speaks. What cannot be found out keeps no mail back.
async fn language(scope: &Scope) -> Language {
    let code = businesses::language(scope).await.ok().flatten();
    Language::for_code(code.as_deref())
}

/// What a mail says.
struct Words {
    subject: String,
    before: String,
    link: String,
    after: String,
}

impl Words {
    fn message(&self, to: &str, token_hash: &str) -> EmailMessage {
        let Self { subject, before, link, after } = self;
        EmailMessage {
            to: to.to_owned(),
            subject: subject.chars().take(voicecore_ports::MAX_SUBJECT_CHARS).collect(),
            text: format!("{before}\n\n{link}\n\n{after}\n"),
            html: format!(
                "<p>{}</p><p><a href=\"{link}\">{link}</a></p><p>{}</p>",
                escape(before),
                escape(after),
                link = escape(link)
            ),
            idempotency_key: token_hash.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tenant_is_called_is_text_in_a_mail() {
        let tenant = one_line("<script>alert(1)</script>\r\nBcc: x");
        let words = Words {
            subject: format!("{tenant} invites"),
            before: format!("{tenant} invites"),
            link: "https://x.example/invitation?token=a".to_owned(),
            after: "After.".to_owned(),
        };
        let message = words.message("a@example.com", "hash");
        assert!(!message.subject.contains(['\r', '\n']));
        assert!(!message.html.contains("<script>") && message.html.contains("&lt;script&gt;"));
        assert!(message.text.contains("https://x.example/invitation?token=a"));
    }
}
