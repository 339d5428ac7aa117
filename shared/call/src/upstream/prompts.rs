//! What the model is told to say when it is asked to speak.

use crate::{EndReason, SessionConfig};

use super::Ask;

/// Instructions for one answer. Those of a request replace the session's, so the session's stand in front; `None`
/// leaves them as they are.
pub(super) fn instructions(config: &SessionConfig, ask: Ask) -> Option<String> {
    let task = match ask {
        Ask::Answer => return None,
        Ask::Greeting => {
            format!("Begin the call. Say exactly this, word for word, and nothing else:\n{}", config.greeting)
        }
        Ask::Resume => {
            "The line was interrupted for a moment, and the caller may not have heard all of what you \
                        said last. Apologise in a few words and go on from where the conversation stood."
                .to_owned()
        }
        Ask::Continue => {
            "You were asked to be silent for a while, and may speak again. Thank the caller for waiting, in a few \
                         words, and go on from where the conversation stood: answer what they have said meanwhile."
                .to_owned()
        }
        Ask::StillThere => {
            "The caller has been silent for a while. Ask in one short sentence whether they are \
                            still there."
                .to_owned()
        }
        Ask::Announce => {
            "Tell the caller in one short sentence that you are putting them through now.".to_owned()
        }
        Ask::Farewell(reason) => format!("{} In one or two short sentences.", farewell(reason)),
    };
    Some(format!("{}\n\n# Now\n{task}", config.instructions))
}

fn farewell(reason: EndReason) -> &'static str {
    match reason {
        EndReason::LengthLimit => {
            "The call has reached the longest time it may take. Say so, thank the caller and say goodbye."
        }
        EndReason::Silence => {
            "Nobody has answered. Say that you will hang up now and that they can call again."
        }
        _ => "Thank the caller and say goodbye.",
    }
}
