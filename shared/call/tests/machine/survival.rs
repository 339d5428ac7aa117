//! Failures, and what the caller notices of them.

use serde_json::json;
use voicecore_call::{AfterStream, Call, EndReason, JournalEntry, Limits, LiveEvent};
use voicecore_types::Millis;

use crate::world::{EPOCH, World, config, tag_of};

#[test]
fn a26_a_carrier_that_comes_back_finds_its_call_and_its_model() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.caller_ends("c1");
    world.caller_said("c1", "When are you open?");
    world.response_by_itself("r1");
    world.words("r1", "i1", "We are open from nine to five on weekdays.");
    world.audio_in_pieces("r1", "i1", 3_000);
    world.run_for(1_000);
    world.line_breaks();
    assert_eq!(world.sent("response.cancel").len(), 1, "nobody listens");
    assert_eq!(world.sent("conversation.item.truncate")[0]["audio_end_ms"], 1_000);
    world.response_done("r1", "cancelled");
    assert_eq!(world.after_stream(), AfterStream::Reconnect { attempt: 2 });
    world.run_for(1_500);
    world.attach(2);
    assert_eq!(world.opened, 1, "the model is still there");
    assert!(world.instructions_of_last_request().contains("interrupted"));
    world.says("r2", "i2", 1_000, "Sorry. We are open from nine to five.");
    world.run_for(1_400);
    world.hang_up();
    assert_eq!(world.summary().attempts, 2);
    assert_eq!(
        world.transcript()[1..],
        [
            "caller: When are you open?",
            "assistant: ~We are open",
            "assistant: Sorry. We are open from nine to five."
        ]
    );
}

#[test]
fn a26_a_carrier_that_does_not_come_back_ends_the_call() {
    let mut world = World::greeted();
    world.line_breaks();
    assert_eq!(world.after_stream(), AfterStream::Reconnect { attempt: 2 });
    world.run_for(20_000);
    assert_eq!(world.summary().reason, EndReason::Abandoned);
    assert!(!world.model_open);
}

#[test]
fn a26_streams_that_never_arrive_use_up_their_attempts() {
    let mut world = World::new(config());
    world.attach(1);
    for attempt in 2..=Limits::default().attempts {
        assert_eq!(world.after_stream(), AfterStream::Reconnect { attempt });
    }
    assert_eq!(world.after_stream(), AfterStream::Apologise);
    world.run_for(1);
    assert_eq!(world.summary().reason, EndReason::StreamLost);
    assert_eq!(world.after_stream(), AfterStream::Apologise, "also when asked again");
}

#[test]
fn a26_the_journal_alone_knows_what_comes_next() {
    let attempt = |attempt| JournalEntry::Attempt { attempt, at: Millis(EPOCH) };
    let offered = |attempt| JournalEntry::Offered { attempt, at: Millis(EPOCH) };
    let leaving = |reason| JournalEntry::Leaving { reason };
    let cases = [
        (vec![attempt(1)], 1, AfterStream::Reconnect { attempt: 2 }),
        // The latest entries were lost with the process: the address still counts.
        (vec![attempt(1)], 3, AfterStream::Reconnect { attempt: 4 }),
        (vec![attempt(1), offered(2), offered(3)], 3, AfterStream::Reconnect { attempt: 4 }),
        (vec![attempt(1), offered(2), attempt(2), offered(4)], 4, AfterStream::Apologise),
        (vec![attempt(1), leaving(EndReason::Transferred)], 1, AfterStream::Transfer),
        (vec![attempt(1), leaving(EndReason::AssistantEnded)], 1, AfterStream::Hangup),
        (vec![attempt(1), leaving(EndReason::LengthLimit)], 1, AfterStream::Goodbye),
        (vec![attempt(1), leaving(EndReason::ModelUnavailable)], 1, AfterStream::Apologise),
        // Asked again for a stream that was answered for.
        (vec![attempt(1), offered(2)], 1, AfterStream::Reconnect { attempt: 2 }),
        (vec![attempt(1), offered(2), leaving(EndReason::Transferred)], 1, AfterStream::Transfer),
    ];
    for (journal, asked, expect) in cases {
        let mut call = Call::resume(config(), &journal, Millis(EPOCH + 1_000));
        for _ in 0..2 {
            assert_eq!(call.after_stream(Millis(EPOCH + 1_000), asked), expect, "{journal:?}");
        }
    }
}

#[test]
fn a26_a_late_question_about_an_old_stream_does_not_touch_the_newer_one() {
    let mut world = World::greeted();
    world.line_breaks();
    assert_eq!(world.after_stream(), AfterStream::Reconnect { attempt: 2 });
    world.attach(2);
    world.says("r1", "i1", 3_000, "Sorry. Where were we? You wanted a table for two.");
    world.run_for(500);
    let (sent, journaled) = (world.to_carrier.len(), world.journal.len());
    for _ in 0..2 {
        assert_eq!(world.after_stream_of(1), AfterStream::Reconnect { attempt: 2 }, "as it was answered");
    }
    assert_eq!((world.to_carrier.len(), world.journal.len()), (sent, journaled));
    world.run_for(20_000);
    assert!(world.played("clear").is_empty(), "it is heard to its end");
    assert!(world.finished.is_empty() && world.model_open);

    // The same after a restart that the newer stream outlives as an attempt of the journal.
    let mut world = world.resume(config());
    world.attach(3);
    for attempt in [1, 2] {
        assert_eq!(world.after_stream_of(attempt), AfterStream::Reconnect { attempt: attempt + 1 });
    }
    world.run_for(1_000);
    assert_eq!(world.sent("response.create").len(), 1, "the third stream is attended to");
    assert_eq!(world.after_stream(), AfterStream::Reconnect { attempt: 4 });
}

#[test]
fn a26_a_caller_whose_stream_comes_back_hears_a_tone_at_once() {
    // The model is there but says nothing; the model is away; the process died.
    for case in 0..3 {
        let mut world = World::greeted();
        world.line_breaks();
        world.after_stream();
        world.run_for(2_000);
        if case == 1 {
            world.model_connects_after = None;
            world.model_breaks();
        }
        if case == 2 {
            world = world.resume(config());
        }
        world.attach(2);
        let back = world.now();
        assert_eq!(world.tones(), [back], "case {case}");
        world.run_for(6_000);
        let tones = world.tones();
        assert!(tones.windows(2).all(|pair| pair[1] - pair[0] <= 4_000) && tones.len() >= 3, "{tones:?}");
    }
    // A first stream has been waited for by nobody.
    let mut world = World::new(config());
    world.attach(1);
    assert!(world.tones().is_empty());
}

#[test]
fn a26_a_call_that_is_slow_to_load_counts_its_tone_from_the_opening_of_the_stream() {
    // Loaded in a second; in longer than the caller should wait.
    for (loading, tone) in [(1_000, 2_500), (3_900, 3_900)] {
        let mut world = World::new(config());
        world.model_connects_after = None;
        let opened = world.moment();
        world.stand_still(loading);
        world.call.stream_opened(opened);
        world.attach(1);
        world.run_for(2_000);
        assert_eq!(world.tones().first(), Some(&tone));
        // It counts for one stream.
        world.line_breaks();
        world.after_stream();
        world.run_for(1_000);
        world.attach(2);
        let back = world.now();
        world.run_for(4_000);
        let tones: Vec<_> = world.tones().into_iter().filter(|at| *at >= back).collect();
        assert!(tones[0] == back && tones[1] - back >= 2_500, "{back}, {tones:?}");
    }
}

#[test]
fn a21_a26_a_call_killed_in_mid_sentence_keeps_its_transcript() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.caller_ends("c1");
    world.caller_said("c1", "When are you open?");
    world.response_by_itself("r1");
    let text = "We are open from nine to five on weekdays and until noon on Saturdays.";
    world.words("r1", "i1", text);
    for _ in 0..20 {
        world.audio("r1", "i1", 200, tag_of("i1"));
    }
    world.item_done("r1", "i1", text);
    world.response_done("r1", "completed");
    world.run_for(2_000);

    // The process dies. Nothing but the journal is left.
    let mut world = world.resume(config());
    world.attach(2);
    world.run_for(100);
    let told: Vec<_> = world
        .sent("conversation.item.create")
        .iter()
        .map(|event| event["item"]["content"][0]["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told[..2], ["Hello, this is Bob's AI assistant.", "When are you open?"]);
    assert!(text.starts_with(&told[2]), "{}", told[2]);
    // Half of it was heard: 7 of 14 words, one more or two less.
    let words = told[2].split_whitespace().count();
    assert!((5..=8).contains(&words), "{words}: {}", told[2]);
    world.says("r2", "i2", 500, "Where was I?");
    world.run_for(600);
    world.hang_up();
    assert_eq!(world.transcript().len(), 4);
    assert_eq!(world.summary().started_at, Millis(EPOCH), "it is one call");
    assert_eq!(world.summary().model_sessions, 2);
    assert_eq!(world.summary().interactions[2].seq, 3);
}

#[test]
fn a21_noise_leaves_no_trace_in_a_call_that_is_resumed() {
    let mut world = World::greeted();
    // Taken for speech, and nothing was said: its place stays empty.
    world.caller_begins("c1");
    world.caller_ends("c1");
    world.caller_said("c1", "");
    world.says_by_itself("r1", "i1", 1_000, "Pardon?");
    world.run_for(1_200);
    world.caller_begins("c2");
    world.caller_ends("c2");
    world.caller_said("c2", "Nothing.");
    world.says_by_itself("r2", "i2", 1_000, "All right.");
    world.run_for(1_200);
    let before = world.transcript();
    let numbers: Vec<u32> = world.call.transcript().iter().map(|entry| entry.seq).collect();
    assert_eq!(numbers, [1, 3, 4, 5]);
    let mut world = world.resume(config());
    assert_eq!(world.transcript(), before);
    assert_eq!(world.call.transcript().iter().map(|entry| entry.seq).collect::<Vec<_>>(), numbers);
    world.attach(2);
    world.hang_up();
    world.run_for(10);
    assert_eq!(world.transcript(), before);
    assert_eq!(world.summary().interactions.last().unwrap().seq, 4, "numbered without gaps in the end");
}

#[test]
fn what_the_model_says_while_nobody_listens_is_unsaid() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.line_breaks();
    assert_eq!(world.appended_ms(), [1_000], "the model hears the end of the word");
    world.after_stream();
    world.caller_ends("c1");
    world.caller_said("c1", "I would li");
    world.says_by_itself("r1", "i1", 800, "Pardon?");
    assert_eq!(world.played("media").len(), 11, "only the greeting was played");
    world.run_for(1_000);
    world.attach(2);
    assert_eq!(world.sent("conversation.item.delete")[0]["item_id"], "i1");
    assert!(world.instructions_of_last_request().contains("interrupted"));
    world.hang_up();
    world.run_for(10);
    assert_eq!(world.transcript()[1..], ["caller: I would li"]);
}

#[test]
fn a_stream_that_is_superseded_is_told_nothing_more() {
    let mut world = World::greeted();
    world.says_by_itself("r1", "i1", 3_000, "one two three four five six seven eight nine");
    world.run_for(1_000);
    let sent = world.to_carrier.len();
    world.attach(2);
    assert!(world.to_carrier[sent..].iter().all(|(_, frame)| frame["streamSid"] == "MZ2"));
    assert_eq!(world.sent("conversation.item.truncate")[0]["audio_end_ms"], 1_000);
}

#[test]
fn a26_while_the_model_is_away_the_caller_hears_something_within_four_seconds() {
    let mut world = World::new(config());
    world.model_connects_after = None;
    world.attach(1);
    // Every session hangs: opened, never answering.
    for _ in 0..60 {
        world.run_for(1_000);
        if world.finished.is_empty() && !world.model_open && world.opened > 0 {
            world.model_opens_if_wanted();
        }
    }
    assert_eq!(world.summary().reason, EndReason::ModelUnavailable);
    let mut heard = vec![0];
    heard.extend(world.tones());
    heard.push((world.summary().ended_at.0) - EPOCH);
    assert!(heard.windows(2).all(|pair| pair[1] - pair[0] <= 4_000), "{heard:?}");
    assert_eq!(world.opened, 2);
}

#[test]
fn a26_one_answer_is_waited_for_12_seconds_in_all_whatever_sessions_are_tried() {
    // Every session is accepted and silent; none is ever answered, not even by a refusal.
    for accepts in [true, false] {
        let mut world = World::greeted();
        world.model_connects_after = accepts.then_some(40);
        world.caller_begins("c1");
        world.caller_ends("c1");
        let owed = world.now();
        world.run_for(60_000);
        assert_eq!(world.summary().reason, EndReason::ModelUnavailable);
        assert_eq!(world.after_stream(), AfterStream::Apologise);
        assert_eq!(world.opened, 2, "a second session has its chance");
        let waited = world.summary().ended_at.0 - EPOCH - owed;
        assert!((11_000..13_000).contains(&waited), "accepts: {accepts}, {waited}");
    }
    // Another question is another answer.
    let mut world = World::greeted();
    for n in 0..3 {
        world.caller_begins(&format!("c{n}"));
        world.caller_ends(&format!("c{n}"));
        world.run_for(7_000);
        world.says_by_itself(&format!("r{n}"), &format!("i{n}"), 500, "Yes.");
        world.run_for(1_000);
    }
    assert!(world.finished.is_empty() && world.opened == 1);
}

#[test]
fn a21_words_are_placed_by_when_they_were_said() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.caller_ends("c1");
    world.says_by_itself("r1", "i1", 500, "Yes.");
    world.run_for(700);
    world.caller_begins("c2");
    world.caller_ends("c2");
    world.says_by_itself("r2", "i2", 500, "No.");
    world.run_for(700);
    // Transcribed late, and in the wrong order.
    world.caller_said("c2", "Second question?");
    world.caller_said("c1", "First question?");
    // Noise that was taken for speech leaves nothing.
    world.caller_begins("c3");
    world.caller_ends("c3");
    world.caller_said("c3", "");
    world.hang_up();
    world.run_for(3_000);
    assert_eq!(
        world.transcript()[1..],
        ["caller: First question?", "assistant: Yes.", "caller: Second question?", "assistant: No."]
    );
    let numbers: Vec<u32> = world.summary().interactions.iter().map(|entry| entry.seq).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
}

#[test]
fn the_latency_of_an_answer_is_counted_from_the_end_of_the_callers_turn() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.run_for(900);
    world.caller_ends("c1");
    world.run_for(430);
    world.says_by_itself("r1", "i1", 500, "Yes.");
    world.run_for(600);
    world.caller_said("c1", "Really?");
    world.hang_up();
    assert_eq!(world.summary().interactions[2].latency_ms, Some(430));
    assert_eq!(world.summary().interactions[0].latency_ms, None);
}

#[test]
fn keys_are_written_down_and_told() {
    let mut world = World::greeted();
    for digit in ["1", "2", "#"] {
        world.carrier_says(&json!({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"digit": digit}}));
        world.run_for(200);
    }
    world.run_for(2_000);
    let told = world.sent("conversation.item.create");
    assert!(told[0]["item"]["content"][0]["text"].as_str().unwrap().ends_with("12#"));
    assert_eq!(world.sent("response.create").len(), 2);
    assert_eq!(world.transcript()[1..], ["caller: 1", "caller: 2", "caller: #"]);
}

#[test]
fn the_hub_sees_an_answer_grow_and_the_journal_not_too_often() {
    let mut world = World::greeted();
    let text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen";
    world.response_by_itself("r1");
    world.words("r1", "i1", text);
    for _ in 0..25 {
        world.audio("r1", "i1", 200, tag_of("i1"));
    }
    world.item_done("r1", "i1", text);
    world.response_done("r1", "completed");
    let before = world.journal.len();
    world.run_for(5_100);
    let seen: Vec<_> = world
        .hub
        .iter()
        .filter_map(|event| if let LiveEvent::Interaction(entry) = event { Some(entry) } else { None })
        .filter(|entry| entry.seq == 2)
        .collect();
    assert!(seen.windows(2).all(|pair| pair[0].text.len() <= pair[1].text.len()), "it only grows");
    assert_eq!(seen.last().unwrap().text, text);
    assert_eq!(seen.last().unwrap().cut_at_ms, None);
    let written = world.journal.len() - before;
    assert!((8..=12).contains(&written), "twice a second: {written}");
}

#[test]
fn a26_a_model_that_hangs_while_the_caller_speaks_does_not_leave_the_line_dead() {
    // The model says that the caller began, and then nothing more, ever.
    let mut world = World::greeted();
    let speech = |n: u64| if n < 100 { 0x90 } else { 0xff };
    world.caller_begins("c1");
    let began = world.now();
    for n in 0..700 {
        world.frame(n * 20, speech(n));
        world.run_for(20);
        if n < 200 {
            assert!(world.tones().is_empty(), "not into the caller's words");
        }
    }
    let stopped = began + 2_000;
    let tones = world.tones();
    assert!(tones[0] > stopped && tones[0] - stopped <= 4_000, "{tones:?}, {stopped}");
    assert_eq!(world.opened, 2, "another session hears the words again");
    assert!(world.hub.contains(&LiveEvent::ModelLost));
}

#[test]
fn a26_models_that_fall_silent_before_the_end_of_the_callers_turn_lead_down_the_ladder() {
    // The first session hears the caller begin and then says nothing more; the next ones never say anything. Once with
    // a carrier that goes on sending silence, once with one that sends nothing.
    for sends_silence in [true, false] {
        let mut world = World::greeted();
        world.caller_begins("c1");
        for n in 0..100 {
            world.frame(n * 20, 0x90);
            world.run_for(20);
        }
        let stopped = world.now();
        assert!(world.tones().is_empty(), "not into the caller's words");
        for n in 100..3_000 {
            if !world.finished.is_empty() {
                break;
            }
            if sends_silence {
                world.frame(n * 20, 0xff);
            }
            world.run_for(20);
        }
        assert_eq!(world.summary().reason, EndReason::ModelUnavailable);
        assert_eq!(world.after_stream(), AfterStream::Apologise);
        assert_eq!(world.opened, 2, "one more has its chance");
        let mut heard = vec![stopped];
        heard.extend(world.tones());
        heard.push(world.summary().ended_at.0 - EPOCH);
        assert!(heard.windows(2).all(|pair| pair[1] - pair[0] <= 4_000), "{heard:?}");
    }
}

#[test]
fn a26_words_that_a_dead_model_did_not_hear_to_their_end_are_answered_by_the_next() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    for n in 0..700 {
        world.frame(n * 20, if n < 100 { 0x90 } else { 0xff });
        world.run_for(20);
        if world.opened == 2 {
            break;
        }
    }
    world.run_for(100);
    let loud = world.appended().iter().filter(|frame| frame.first() == Some(&0x90)).count();
    assert_eq!(loud, 200, "heard twice");
    world.caller_begins("c1b");
    world.caller_ends("c1b");
    world.says_by_itself("r1", "i1", 800, "We open at nine.");
    world.caller_said("c1b", "When do you open?");
    world.run_for(3_000);
    assert_eq!(world.transcript()[1..], ["caller: When do you open?", "assistant: We open at nine."]);
    assert!(world.sent("response.create").len() <= 1, "nothing is asked twice");
}

#[test]
fn a_long_speech_is_not_disturbed() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    for n in 0..2_000 {
        // Pauses of half a second between the words.
        world.frame(n * 20, if n % 50 < 25 { 0x90 } else { 0xff });
        world.run_for(20);
    }
    assert!(world.tones().is_empty());
    assert_eq!(world.opened, 1);
}

#[test]
fn a26_a_model_that_hangs_before_its_first_word_is_covered_by_a_tone() {
    let mut world = World::greeted();
    for n in 0..50 {
        world.frame(n * 20, 1);
        world.run_for(20);
    }
    world.caller_begins("c1");
    for n in 50..100 {
        world.frame(n * 20, 1);
        world.run_for(20);
    }
    world.caller_ends("c1");
    world.response_by_itself("r1");
    let since = world.now();
    world.caller_said("c1", "When are you open?");
    for n in 100..400 {
        world.frame(n * 20, 1);
        world.run_for(20);
    }
    let tones: Vec<u64> = world.tones().iter().map(|at| at - since).collect();
    assert!(tones.first().is_some_and(|first| *first < 4_000), "{tones:?}");
}
