//! Shapes of conversation items as a client may create them.

use super::{
    Shape::{self, By, List, Object, OneOf, Text},
    opt, req,
};

/// Parts of one message.
const MAX_PARTS: usize = 64;
/// Ids are at most so long ("string with maximum length 32").
const MAX_ID: usize = 32;

const STATUS: Shape = OneOf(&["completed", "incomplete", "in_progress"]);
const OBJECT: Shape = OneOf(&["realtime.item"]);
pub(super) const ID: Shape = Shape::TextUpTo(MAX_ID);

const USER_PART: Shape = By(
    "type",
    &[
        ("input_text", Object(&[req("type", Text), req("text", Text)])),
        ("input_audio", Object(&[req("type", Text), req("audio", Text), opt("transcript", Text)])),
        (
            "input_image",
            Object(&[
                req("type", Text),
                req("image_url", Text),
                opt("detail", OneOf(&["auto", "low", "high"])),
            ]),
        ),
    ],
);

const SYSTEM_PART: Shape = By("type", &[("input_text", Object(&[req("type", Text), req("text", Text)]))]);

/// Assistant audio cannot be brought in by a client.
const ASSISTANT_PART: Shape = By("type", &[("output_text", Object(&[req("type", Text), req("text", Text)]))]);

macro_rules! message {
    ($part:expr) => {
        Object(&[
            req("type", Text),
            req("role", Text),
            req("content", List(MAX_PARTS, &$part)),
            opt("id", ID),
            opt("object", OBJECT),
            opt("status", STATUS),
        ])
    };
}

/// An item. What belongs to MCP servers is not simulated.
pub(super) const ITEM: Shape = By(
    "type",
    &[
        (
            "message",
            By(
                "role",
                &[
                    ("user", message!(USER_PART)),
                    ("system", message!(SYSTEM_PART)),
                    ("assistant", message!(ASSISTANT_PART)),
                ],
            ),
        ),
        (
            "function_call",
            Object(&[
                req("type", Text),
                req("name", Text),
                req("arguments", Text),
                opt("call_id", ID),
                opt("id", ID),
                opt("object", OBJECT),
                opt("status", STATUS),
            ]),
        ),
        (
            "function_call_output",
            Object(&[
                req("type", Text),
                req("call_id", ID),
                req("output", Text),
                opt("id", ID),
                opt("object", OBJECT),
                opt("status", STATUS),
            ]),
        ),
    ],
);
