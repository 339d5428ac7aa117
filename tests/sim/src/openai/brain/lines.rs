//! What the assistant says.

use super::mentions;

pub(super) const HELLO: &str = "Hello, this is the assistant. How can I help you?";
pub(super) const CUT_OFF: &str = "Sorry, we were cut off.";
pub(super) const WHERE_WERE_WE: &str = "Where were we? Please go on.";
pub(super) const GOODBYE: &str = "Thank you for calling. Goodbye, and have a pleasant day.";
pub(super) const STILL_THERE: &str = "Are you still there?";
pub(super) const NOT_UNDERSTOOD: &str = "Sorry, I did not catch that. Could you say it again?";
pub(super) const NOBODY_THERE: &str = "I am sorry, there is nobody I could put you through to right now.";
pub(super) const NO_MESSAGES: &str = "I am sorry, I cannot take messages on this line.";
pub(super) const TRANSFER: &str = "One moment please, I will put you through.";
pub(super) const ANYTHING_ELSE: &str = "Is there anything else that I can do for you?";
pub(super) const TOOL_FAILED: &str = "I am sorry, that did not work. Shall we try something else?";
pub(super) const TOOL_DONE: &str = "That is done.";
pub(super) const MESSAGE_TAKEN: &str =
    "I have written your message down and will pass it on. Is there anything else?";

/// More than twenty seconds, to be interrupted.
const STORY: &str = "With pleasure. Our house was built in eighteen ninety two by two sisters, who baked bread for the \
    harbour. In the first winter they had no window glass, so they hung up sails, and the sailors came in to look for \
    their own. They stayed for soup. One of them, a carpenter from Bergen, made the long table that still stands by the \
    stove, and he carved a small whale under it, which children look for to this day. Later there was a fire, and then \
    a flood, and then forty quiet years. In nineteen sixty the grandson of the carpenter bought the place, found the \
    whale, and knew at once where he was. He put the sails up again, and every spring, on the first warm evening, they \
    are hung in the windows, and the soup is free for whoever has come by boat.";

/// Topics, first match wins.
const TOPICS: &[(&[&str], &str)] = &[
    (&["story", "history", "tell me about"], STORY),
    (
        &["book", "booking", "reservation", "reserve", "appointment", "table"],
        "Certainly. I have Tuesday at ten in the morning, or Wednesday at three in the afternoon. Which suits you better?",
    ),
    (&["tuesday"], "Tuesday at ten it is. May I have your name for the booking?"),
    (&["wednesday"], "Wednesday at three it is. May I have your name for the booking?"),
    (&["my name is"], "Thank you, I have noted that name. Is there anything else?"),
    (
        &["open", "hours", "opening", "close", "closing"],
        "We are open from nine to six, Monday to Friday, and until two on Saturdays.",
    ),
    (&["price", "cost", "much", "expensive"], "It is twenty five dollars for the hour, everything included."),
    (
        &["where", "address", "park", "parking"],
        "You find us at twelve Harbour Street, with parking behind the house.",
    ),
    (&["deliver", "delivery", "shipping"], "We deliver within two days, free of charge above forty dollars."),
    (
        &["cancel", "change", "move"],
        "No problem, I have taken that off the calendar. Would you like another day?",
    ),
    (&["pay", "card", "cards", "cash"], "We take cards and cash, and you pay when you leave."),
    (
        &["vegetarian", "vegan", "allergy", "allergic"],
        "Yes, the kitchen is happy to cook for you. Please tell them when you arrive.",
    ),
    (&["children", "kids", "dog", "pets"], "Of course, they are very welcome here."),
    (&["weather"], "I cannot see outside from here, but I hope that it is sunny where you are."),
    (&["thank", "thanks"], "You are welcome. Is there anything else?"),
    (&["yes", "sure"], "Good, then that is settled. Anything else?"),
    (&["no"], "All right. Is there something else on your mind?"),
    // Last: people greet before they ask.
    (&["still there", "hello", "hi"], "Yes, I am here. What can I do for you?"),
];

/// How an answer to something unforeseen begins; turn by turn another one.
const OPENINGS: &[&str] =
    &["I see.", "I understand.", "Right.", "Let me think.", "Thank you for telling me."];
/// So many words of the caller are repeated.
const REPEATED_WORDS: usize = 6;

/// What is said to `text` in the caller's `turn`-th turn.
pub(super) fn answer(text: &str, turn: usize) -> String {
    if let Some((_, line)) = TOPICS.iter().find(|(words, _)| mentions(text, words)) {
        return (*line).to_owned();
    }
    let opening = OPENINGS.get(turn % OPENINGS.len()).unwrap_or(&"I see.");
    let words: Vec<&str> = text.split_whitespace().take(REPEATED_WORDS).collect();
    let repeated = words.join(" ");
    let repeated = repeated.trim_end_matches(|c: char| !c.is_alphanumeric());
    format!("{opening} You said: {repeated}. Could you tell me more?")
}
