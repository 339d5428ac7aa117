use super::*;
use crate::speech::{SILENT_FRAME, is_silence};

/// Six words of 100 ms, which all sound the same: only the marks tell the frames apart.
fn speech() -> Speech {
    let word = |n: u32| Word { text: format!("w{n}"), start_ms: n * 100, end_ms: n * 100 + 100 };
    let words: Vec<Word> = (0..6).map(word).collect();
    Speech { text: "w0 w1 w2 w3 w4 w5".into(), audio: vec![0x20; 600 * 8], words }
}

fn caller() -> Speaker {
    Speaker::Caller { call: "CA1".into() }
}

fn indexes(heard: &[Heard]) -> Vec<u32> {
    let index = |h: &Heard| if let Heard::Frame { index, .. } = h { Some(*index) } else { None };
    heard.iter().filter_map(index).collect()
}

#[test]
fn what_arrives_whole_is_understood_whole_however_it_is_cut() {
    let registry = Registry::default();
    let utterance = registry.register(caller(), &speech());
    registry.sent(utterance.id, 30);
    let mut recogniser = Recogniser::new(registry.clone());
    let heard: Vec<Heard> = utterance.audio().chunks(37).flat_map(|chunk| recogniser.push(chunk)).collect();
    let understood = understand(&registry, &heard);
    assert_eq!(understood.text, utterance.text);
    assert_eq!(understood.utterances, [utterance.id]);
    let perfect = Delivery { sent: 30, received: 30, ..Delivery::default() };
    assert_eq!(registry.delivery(utterance.id), Some(perfect));
}

#[test]
fn the_same_words_twice_are_two_utterances() {
    let registry = Registry::default();
    let (one, two) = (registry.register(caller(), &speech()), registry.register(caller(), &speech()));
    let mut recogniser = Recogniser::new(registry.clone());
    let heard = recogniser.push(&[two.audio(), one.audio()].concat());
    assert_eq!(understand(&registry, &heard).utterances, [two.id, one.id]);
}

#[test]
fn a_lost_frame_costs_its_word_and_is_counted() {
    let registry = Registry::default();
    let utterance = registry.register(caller(), &speech());
    registry.sent(utterance.id, 30);
    let mut frames = utterance.frames.clone();
    frames.remove(11);
    let heard = Recogniser::new(registry.clone()).push(&frames.concat());
    assert_eq!(understand(&registry, &heard).text, "w0 w1 w3 w4 w5");
    let delivery = registry.delivery(utterance.id).unwrap();
    assert_eq!((delivery.received, delivery.lost, delivery.reordered, delivery.duplicated), (29, 1, 0, 0));
}

#[test]
fn swapped_and_doubled_frames_cost_their_words_and_are_counted() {
    let registry = Registry::default();
    let utterance = registry.register(caller(), &speech());
    registry.sent(utterance.id, 30);
    let mut frames = utterance.frames.clone();
    frames.swap(6, 7);
    frames.insert(22, frames[21]);
    let heard = Recogniser::new(registry.clone()).push(&frames.concat());
    assert_eq!(understand(&registry, &heard).text, "w0 w2 w3 w5");
    let delivery = registry.delivery(utterance.id).unwrap();
    assert_eq!((delivery.received, delivery.lost, delivery.reordered, delivery.duplicated), (30, 0, 1, 1));
}

#[test]
fn what_a_hang_up_cut_off_is_not_lost() {
    let registry = Registry::default();
    let utterance = registry.register(caller(), &speech());
    registry.sent(utterance.id, 12);
    let heard = Recogniser::new(registry.clone()).push(&utterance.frames[..12].concat());
    assert_eq!(understand(&registry, &heard).text, "w0 w1");
    assert_eq!(registry.delivery(utterance.id).unwrap().lost, 0);
}

#[test]
fn padding_of_any_length_does_not_hide_the_frames_behind_it() {
    let registry = Registry::default();
    let utterance = registry.register(caller(), &speech());
    let mut stream = vec![0xFF; 300];
    stream.extend(&utterance.frames[..5].concat());
    stream.extend([0x33; 77]);
    stream.extend(&utterance.frames[5..].concat());
    for cut in [20, 80, 160, 240, 10_000] {
        let mut recogniser = Recogniser::new(registry.clone());
        let heard: Vec<Heard> = stream.chunks(cut).flat_map(|chunk| recogniser.push(chunk)).collect();
        assert_eq!(indexes(&heard), (0..30).collect::<Vec<_>>());
        assert_eq!(heard[0], Heard::Silence { at: 0, bytes: 160 });
        assert_eq!(heard[1], Heard::Silence { at: 160, bytes: 140 });
        assert_eq!(heard[7], Heard::Unknown { at: 300 + 5 * 160, bytes: 77 });
    }
}

#[test]
fn silence_is_anonymous_and_a_marked_frame_is_never_silence() {
    let registry = Registry::default();
    let quiet = Speech { text: String::new(), audio: vec![0xFF; 8_000], words: Vec::new() };
    let utterance = registry.register(caller(), &quiet);
    assert!(utterance.frames.iter().all(|frame| !is_silence(frame)));
    let heard = Recogniser::new(registry).push(&SILENT_FRAME);
    assert_eq!(heard, [Heard::Silence { at: 0, bytes: 160 }]);
}

#[test]
fn old_utterances_are_forgotten() {
    let registry = Registry::default();
    let brief = Speech { text: String::new(), audio: vec![0x20; 160], words: Vec::new() };
    let first = registry.register(caller(), &brief);
    (0..MAX_UTTERANCES).for_each(|_| drop(registry.register(caller(), &brief)));
    assert!(registry.get(first.id).is_none());
    assert_eq!(registry.lock().frames.len(), MAX_UTTERANCES);
}
