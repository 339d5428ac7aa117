//! Somebody steps in: what an assistant that was silenced may not do, whatever else happens.

use proptest::prelude::*;
use voicecore_call::{InteractionKind, OperatorAction, OperatorCommand};

use crate::carrier::Delay;
use crate::properties::{Conversation, stepping_in};
use crate::world::{World, config, intervention};

/// What happens while somebody listens, and steps in.
#[derive(Debug, Clone)]
enum Scene {
    Operator(OperatorCommand),
    /// The model speaks by itself, this many pieces of audio.
    Answer(usize),
    /// It does what it was asked for.
    Obeys(usize),
    Caller,
    ModelBreaks,
    ProcessDies,
    Wait(u64),
}

fn scene() -> impl Strategy<Value = Scene> {
    prop_oneof![
        5 => stepping_in().prop_map(Scene::Operator),
        3 => (1..12_usize).prop_map(Scene::Answer),
        3 => (1..12_usize).prop_map(Scene::Obeys),
        2 => Just(Scene::Caller),
        1 => Just(Scene::ModelBreaks),
        1 => Just(Scene::ProcessDies),
        4 => (0..4_000_u64).prop_map(Scene::Wait),
    ]
}

/// A call, and whether its assistant has to be silent.
struct Watched {
    talk: Conversation,
    silenced: bool,
    answers: u32,
}

impl Watched {
    fn play(&mut self, scene: &Scene) {
        let world = &mut self.talk.world;
        match scene {
            Scene::Operator(command) => {
                match command {
                    OperatorCommand::Pause => self.silenced = true,
                    OperatorCommand::Resume => self.silenced = false,
                    _ => {}
                }
                world.operator(command.clone());
            }
            Scene::Answer(pieces) | Scene::Obeys(pieces) if world.model_open => {
                self.answers += 1;
                let (response, item) = (format!("s{}", self.answers), format!("i{}", 2 + self.answers));
                match scene {
                    Scene::Obeys(_) => world.response_created(&response),
                    _ => world.response_by_itself(&response),
                }
                world.words(&response, &item, "word ");
                for _ in 0..*pieces {
                    world.audio(&response, &item, 200, 1);
                }
                world.item_done(&response, &item, "");
                world.response_done(&response, "completed");
            }
            Scene::Caller if world.model_open => self.talk.caller_speaks(),
            Scene::ModelBreaks if world.model_open => world.model_breaks(),
            Scene::ProcessDies => self.dies(),
            Scene::Wait(ms) => world.run_for(*ms),
            _ => {}
        }
    }

    fn dies(&mut self) {
        let fresh = World::new(config());
        let dead = std::mem::replace(&mut self.talk.world, fresh);
        self.talk.world = dead.resume(config());
        if let voicecore_call::AfterStream::Reconnect { attempt } = self.talk.world.after_stream() {
            self.talk.world.attach(attempt);
        }
    }

    /// The machine has let a pause end that lasted too long, or the call is leaving.
    fn may_speak(&self) -> bool {
        let last = |action: &OperatorAction| matches!(action, OperatorAction::Pause | OperatorAction::Resume);
        let transcript = self.talk.world.call.transcript();
        let last = transcript.iter().rev().find_map(|entry| match &entry.kind {
            InteractionKind::Intervention { action, actor_id, .. } if last(action) => {
                Some(*action == OperatorAction::Resume && actor_id.is_none())
            }
            _ => None,
        });
        last.unwrap_or_default() || !self.talk.world.call.takes(&intervention("o0", OperatorCommand::Pause))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// From a pause on nothing is heard until the assistant may speak again: also when its model or its process is replaced, and
    /// whatever the model makes meanwhile. However it goes, the call ends once and closes once.
    #[test]
    fn a21_a_silenced_assistant_is_not_heard(scenes in prop::collection::vec(scene(), 1..30)) {
        let mut watched =
            Watched { talk: Conversation::new(Delay::default()), silenced: false, answers: 0 };
        for scene in &scenes {
            let heard = watched.talk.world.played("media").len();
            let was_silenced = watched.silenced;
            watched.play(scene);
            watched.silenced &= !watched.may_speak();
            if matches!(scene, Scene::ProcessDies) {
                // Its own frames are counted from here.
                prop_assert!(!watched.silenced || watched.talk.world.played("media").is_empty());
                continue;
            }
            if was_silenced && watched.silenced {
                prop_assert_eq!(watched.talk.world.played("media").len(), heard, "after {:?}", scene);
            }
        }
        let world = &mut watched.talk.world;
        world.operator(OperatorCommand::End { at_once: true });
        world.run_for(60_000);
        prop_assert_eq!(world.finished.len(), 1);
        prop_assert!(world.carrier_closed <= 1);
        prop_assert!(!world.model_open);
    }
}
