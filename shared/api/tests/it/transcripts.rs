//! Transcripts as PDF files, for a judge from outside: `tests/oracles/pdf.py` reads them with a reader that is not ours, and compares them
//! with what the API shows. They are left where Cargo has tests leave files.

use std::fs;
use std::path::PathBuf;

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use tower::ServiceExt as _;
use voicecore_api::live;
use voicecore_conformance::block_on;

use crate::search::summary;
use crate::world::{Tenant, World};

/// Pieces of conversations, by language: what the font has, with every letter that is not of English.
const SAID: [(&str, &[&str]); 6] = [
    (
        "en",
        &[
            "Good morning, this is Bella's Salon – how may I help?",
            "It's for Zoë: a “naïve” résumé, £20 or €25?",
        ],
    ),
    (
        "es",
        &[
            "¡Buenos días! ¿En qué puedo ayudarle?",
            "Mañana a las ocho, señor Núñez: pingüino, cigüeña, corazón, útil.",
        ],
    ),
    (
        "de",
        &[
            "Grüß Gott, hier ist die Bäckerei „Süße Öfen“.",
            "Äpfel, Übermaß, Straße und ein Größenwechsel für 12,50 €.",
        ],
    ),
    (
        "fr",
        &[
            "Bonjour, où êtes-vous ? L’œuf, le cœur, la forêt.",
            "Çà et là, à Noël : « déjà », naïf, aiguë, Ÿ, être.",
        ],
    ),
    (
        "pt",
        &[
            "Olá! Não há problema: às três, então?",
            "Ação, coração, avô, avó, lâmpada, pêssego, pinguim, à noite.",
        ],
    ),
    // The font lacks them: they are seen as lacking, and copied as themselves.
    ("other", &["Привет, как дела? Γειά σου Κόσμε.", "你好 世界 👋 こんにちは"]),
];
/// Entries of a call that fills several pages.
const MANY: usize = 150;

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("transcripts")
}

/// A call in which this was said, the last of it interrupted, as a file and as the API shows it.
fn write(world: &World, tenant: &Tenant, n: u32, name: &str, said: &[&str]) {
    let (_, call) = world.call(tenant, n);
    let setup = block_on(live::load_call(&world.app, call)).unwrap();
    let mut summary = summary(call, n, said);
    summary.interactions.last_mut().unwrap().cut_at_ms = Some(900);
    block_on(live::finish_call(&world.app, &setup, &summary)).unwrap();
    let target = format!("/api/v1/calls/{call}");
    let shown = world.get(&format!("{target}/interactions"), &tenant.key);
    assert_eq!(shown.json()["items"].as_array().unwrap().len(), said.len());
    let request = Request::get(format!("{target}/transcript?format=pdf"))
        .header(header::AUTHORIZATION, format!("Bearer {}", tenant.key))
        .body(Body::empty())
        .unwrap();
    let pdf = world.doubles.clock.run(async {
        let response = world.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        to_bytes(response.into_body(), usize::MAX).await.unwrap()
    });
    assert!(pdf.starts_with(b"%PDF-1.7"));
    fs::write(directory().join(name).with_extension("pdf"), &pdf).unwrap();
    fs::write(directory().join(name).with_extension("json"), shown.body).unwrap();
}

#[test]
fn transcripts_of_every_language_are_left_for_the_judge() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    // Of an earlier run nothing is to be judged.
    let _ = fs::remove_dir_all(directory());
    fs::create_dir_all(directory()).unwrap();
    for ((name, said), n) in SAID.iter().zip(1..) {
        write(&world, &tenant, n, name, said);
    }
    let all: Vec<&str> = SAID[..5].iter().flat_map(|(_, said)| *said).copied().cycle().take(MANY).collect();
    write(&world, &tenant, 99, "many", &all);
    assert_eq!(fs::read_dir(directory()).unwrap().count(), 2 * (SAID.len() + 1));
}
