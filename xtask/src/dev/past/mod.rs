//! Calls of the last days for the demo tenant, so that every page of the dashboard has something to show. Only `dev` makes them.
//!
//! Callers ring as they do, by signed webhooks, because only the product can seal a number; what became of their calls, and that it was
//! days ago, is then written where the product would have written it.

mod conversations;
mod statements;

use std::io::Write as _;
use std::process::Stdio;
use std::thread;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha1::Sha1;
use voicecore_types::Millis;

use self::statements::Written;
use super::demo::Demo;
use super::plan::Plan;
use super::state::{hex, random};
use crate::http;
use crate::proc::{self, describe, output, root};
use crate::wrangler::{self, Place};

/// Callers, by numbers reserved for fiction. Fewer than lines of a tenant: each holds one until its call has been written down.
const CALLERS: u16 = 8;
const FIRST_CALLER: u64 = 12_025_550_101;
const VOICE_PATH: &str = "/webhooks/twilio/voice";
/// What one argument of a program may hold on Linux is 128 KiB.
const MAX_ARGUMENT_BYTES: usize = 100 * 1024;

/// Fills the tenant that has just been provisioned.
pub(super) fn fill(base_url: &str, plan: &Plan, place: &Place, demo: &Demo) -> Result<()> {
    let now = Millis(proc::unix_time() * 1_000);
    let callers = thread::scope(|scope| {
        let ringing: Vec<_> =
            (0..CALLERS).map(|caller| scope.spawn(move || ring(base_url, plan, demo, caller))).collect();
        let rung =
            ringing.into_iter().map(|call| call.join().unwrap_or_else(|_| bail!("a thread has panicked")));
        rung.collect::<Result<Vec<String>>>()
    })?;
    people(base_url, demo)?;
    let written = statements::written(demo, &callers, now, &random::<32>()?)?;
    store(place, written)
}

/// Rings from the caller's number, and says how the carrier names the call.
fn ring(base_url: &str, plan: &Plan, demo: &Demo, caller: u16) -> Result<String> {
    let sid = format!("CA{}", hex(&random::<16>()?));
    let from = format!("+{}", FIRST_CALLER + u64::from(caller));
    // Sorted by name, as they are signed.
    let form = [
        ("AccountSid", plan.get("TWILIO_ACCOUNT_SID")),
        ("ApiVersion", "2010-04-01"),
        ("CallSid", &sid),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
        ("From", &from),
        ("To", &demo.phone_number),
    ];
    let signed = form
        .iter()
        .fold(format!("{}{VOICE_PATH}", plan.get("PUBLIC_URL")), |text, (name, value)| text + name + value);
    let mut mac = Hmac::<Sha1>::new_from_slice(plan.get("TWILIO_AUTH_TOKEN").as_bytes())?;
    mac.update(signed.as_bytes());
    let body: Vec<String> =
        form.iter().map(|(name, value)| format!("{name}={}", value.replace('+', "%2B"))).collect();
    let post = minreq::post(format!("{base_url}{VOICE_PATH}"))
        .with_header("content-type", "application/x-www-form-urlencoded")
        .with_header("x-twilio-signature", STANDARD.encode(mac.finalize().into_bytes()))
        .with_body(body.join("&"));
    let answer = post.send().context("ringing")?;
    if answer.status_code != 200 {
        bail!("ringing was answered with {}: {}", answer.status_code, answer.as_str().unwrap_or_default());
    }
    Ok(sid)
}

/// Human beings, and the parts of the organisation that they belong to.
fn people(base_url: &str, demo: &Demo) -> Result<()> {
    let post = |path: &str, body: Value| {
        http::post_json_as(&format!("{base_url}/api/v1{path}"), &demo.api_key, &body)
    };
    let id = |answer: Value| answer["id"].as_str().map(str::to_owned).context("an answer without an id");
    let service = id(post("/departments", json!({ "name": "Service" }))?)?;
    let events = id(post("/departments", json!({ "name": "Events", "parent_id": service }))?)?;
    for (name, number, department, languages) in [
        ("Maria Santos", "+12025550111", &service, json!(["en", "es"])),
        ("Jonas Weber", "+12025550112", &events, json!(["en", "de"])),
    ] {
        post(
            "/agents",
            json!({ "name": name, "phone_number": number, "languages": languages, "skills": [], "departments": [department] }),
        )?;
    }
    Ok(())
}

fn store(place: &Place, Written { mut statements, objects }: Written) -> Result<()> {
    let Place::Local(storage) = place else {
        // On Spin objects are rows.
        statements.extend(objects.iter().map(|(key, text)| {
            format!("insert into blobs (key, bytes) values ('{key}', x'{}')", hex(text.as_bytes()))
        }));
        let mut part = String::new();
        for statement in statements {
            if !part.is_empty() && part.len() + statement.len() > MAX_ARGUMENT_BYTES {
                output(&mut place.execute(&std::mem::take(&mut part))?)?;
            }
            part += &statement;
            part += ";\n";
        }
        output(&mut place.execute(&part)?)?;
        return Ok(());
    };
    let mut node = proc::command("node");
    wrangler::quiet(&mut node)
        .arg(root().join("xtask/src/dev/past/store.mjs"))
        .arg(root().join("wrangler.toml"))
        .arg(storage.join("v3"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut running = node.spawn().with_context(|| format!("starting `{}`", describe(&node)))?;
    let input = json!({ "statements": statements, "objects": objects }).to_string();
    // A program that has ended reads nothing; its own words say why.
    running.stdin.take().context("no input")?.write_all(input.as_bytes()).ok();
    let done = running.wait_with_output()?;
    if !done.status.success() {
        bail!("`{}` failed: {}", describe(&node), String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}
