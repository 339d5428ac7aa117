//! Where the links of mails lead.

use axum::http::Method;
use serde_json::json;

use crate::world::World;

#[test]
fn links_lead_to_the_dashboard_where_there_is_one() {
    for (dashboard, place) in [("on", "/app/reset-password"), ("off", "/reset-password")] {
        let world = World::with(&[("DASHBOARD", dashboard)]);
        let tenant = world.tenant("+15005550006");
        world.user(&tenant.id, "ada@example.com", "manager");
        let asked = Some(json!({"email": "ada@example.com"}));
        world.request(Method::POST, "/api/v1/auth/forgot-password", None, asked.as_ref());
        let mails = world.mails();
        let link = format!("https://voice.example.com{place}?token=vcp_");
        assert!(mails[0].1.starts_with(&link), "{}", mails[0].1);
    }
}
