use voicecore_types::Millis;
use voicecore_wire::payload::BYTES_PER_MS;
use voicecore_wire::twilio::media::MarkName;

use super::{Ledger, MAX_MARKS, MAX_SEGMENTS, Marks, Playback, Source};

const TURN: Source = Source::Turn(0);

fn send(ledger: &mut Ledger, now: u64, source: Source, ms: u64) -> Marks {
    ledger.send(Millis(now), source, ms * BYTES_PER_MS)
}

fn heard_ms(ledger: &Ledger, now: u64) -> u64 {
    ledger.audible(Millis(now)).map_or(0, |heard| heard.heard_ms)
}

#[test]
fn audio_is_heard_as_it_is_played_and_never_more_than_was_sent() {
    let mut ledger = Ledger::default();
    let marks = send(&mut ledger, 1_000, TURN, 400);
    assert!(ledger.echoed(Millis(1_000), marks.before.unwrap()));
    assert_eq!(heard_ms(&ledger, 1_000), 0);
    assert_eq!(heard_ms(&ledger, 1_250), 250);
    assert_eq!(heard_ms(&ledger, 1_600), 400);
    assert!(ledger.echoed(Millis(1_400), marks.after.unwrap()));
    // The buffer ran dry at 1,400; what comes later is heard from then on.
    send(&mut ledger, 2_000, TURN, 400);
    assert_eq!(heard_ms(&ledger, 2_100), 500);
    // Sent ahead, it waits for what is before it.
    send(&mut ledger, 2_100, TURN, 400);
    assert_eq!(heard_ms(&ledger, 2_500), 900);
}

#[test]
fn a_mark_stands_before_an_item_behind_160_ms_and_at_its_end() {
    let mut ledger = Ledger::default();
    let name = |number| Some(MarkName { generation: 0, number });
    assert_eq!(send(&mut ledger, 0, TURN, 100), Marks { before: name(0), after: None });
    assert_eq!(send(&mut ledger, 0, TURN, 100), Marks { before: None, after: name(1) });
    assert_eq!(send(&mut ledger, 0, TURN, 100), Marks::default());
    assert_eq!(ledger.close(Millis(0), TURN), name(2));
    assert_eq!(ledger.close(Millis(0), TURN), None);
    assert_eq!(send(&mut ledger, 0, Source::Turn(1), 20).before, name(3));
}

#[test]
fn a_delayed_line_is_allowed_for() {
    // 50 ms each way. What is claimed is what will have been heard when a `clear` sent now arrives.
    let mut ledger = Ledger::default();
    let first = send(&mut ledger, 1_000, TURN, 2_000).before.unwrap();
    assert!(ledger.echoed(Millis(1_100), first), "at 1,050 nothing was before it");
    // At 1,500 the carrier has played 450 ms (since 1,050); a `clear` gets there at 1,550.
    assert_eq!(heard_ms(&ledger, 1_500), 500);
}

#[test]
fn a_carrier_that_lags_is_followed() {
    let mut ledger = Ledger::default();
    let mut marks = Vec::new();
    for _ in 0..10 {
        let sent = send(&mut ledger, 0, TURN, 200);
        marks.extend(sent.before.into_iter().chain(sent.after));
    }
    assert!(ledger.echoed(Millis(0), marks[0]), "the line has no delay");
    // It plays 80 ms late.
    assert!(ledger.echoed(Millis(280), marks[1]));
    assert_eq!(heard_ms(&ledger, 470), 390);
    assert!(ledger.echoed(Millis(480), marks[2]));
    // It stalls: the mark of 600 ms is long overdue, so nothing behind it was heard.
    assert_eq!(heard_ms(&ledger, 1_000), 600);
    // What was played is certain.
    assert!(ledger.echoed(Millis(1_700), marks[5]));
    assert!(heard_ms(&ledger, 1_700) >= 1_000);
}

#[test]
fn marks_of_a_cleared_generation_count_for_nothing() {
    let mut ledger = Ledger::default();
    let old = send(&mut ledger, 0, TURN, 400).after.unwrap();
    let cut = ledger.clear(Millis(100));
    assert_eq!(cut, [Playback { source: TURN, heard_ms: 100, whole: false }]);
    assert!(!ledger.echoed(Millis(110), old));
    let new = send(&mut ledger, 200, Source::Turn(1), 400).after.unwrap();
    assert!(!ledger.echoed(Millis(210), old));
    assert_eq!(heard_ms(&ledger, 210), 10);
    assert!(ledger.echoed(Millis(600), new));
    assert!(ledger.is_drained(Millis(600), Millis::ZERO));
    assert!(!ledger.echoed(Millis(600), new), "once");
    assert!(!ledger.echoed(Millis(600), MarkName { generation: 1, number: 999 }), "a stranger");
}

#[test]
fn an_item_is_whole_when_it_is_closed_and_heard() {
    let mut ledger = Ledger::default();
    let marks = send(&mut ledger, 0, TURN, 300);
    assert!(ledger.echoed(Millis(0), marks.before.unwrap()));
    assert_eq!(ledger.pop_heard(Millis(350)), None, "more may come");
    let last = ledger.close(Millis(0), TURN);
    assert_eq!(ledger.pop_heard(Millis(200)), None);
    assert_eq!(last, None, "its last piece had its mark");
    assert_eq!(ledger.pop_heard(Millis(300)), Some(Playback { source: TURN, heard_ms: 300, whole: true }));
    assert_eq!(ledger.clear(Millis(300)), []);
}

#[test]
fn it_is_drained_by_the_last_mark_or_in_time() {
    let mut ledger = Ledger::default();
    assert!(ledger.is_drained(Millis(0), Millis(500)), "nothing was sent");
    let mark = send(&mut ledger, 0, TURN, 1_000).after.unwrap();
    assert!(!ledger.is_drained(Millis(1_400), Millis(500)));
    assert_eq!(ledger.drain_deadline(Millis(500)), Some(Millis(1_500)));
    assert!(ledger.is_drained(Millis(1_500), Millis(500)));
    assert!(ledger.echoed(Millis(1_010), mark));
    assert!(ledger.is_drained(Millis(1_010), Millis(500)));
    assert_eq!(ledger.drain_deadline(Millis(500)), None);
}

#[test]
fn queues_are_bounded() {
    let mut ledger = Ledger::default();
    for item in 0..10_000 {
        send(&mut ledger, 0, Source::Turn(item), 2_000);
        ledger.close(Millis(0), Source::Turn(item));
    }
    let [marks, segments, recent] = ledger.queue_lengths();
    assert!(marks <= MAX_MARKS && segments <= MAX_SEGMENTS && recent <= 8);
    // An hour of audio sent at once has its last mark all the same.
    let mut ledger = Ledger::default();
    for _ in 0..18_000 {
        send(&mut ledger, 0, TURN, 200);
    }
    send(&mut ledger, 0, TURN, 20);
    let last = ledger.close(Millis(0), TURN).unwrap();
    assert!(ledger.echoed(Millis(3_600_020), last));
    assert!(ledger.is_drained(Millis(3_600_020), Millis::ZERO));
}
