//! Which words are in which message and note: a search is a walk along the key of `text_words`, newest first, within one tenant, as
//! with `call_words`. What was written before there was this table is found once `old_rows` has gone through it.

use std::fmt::Write as _;

use voicecore_ports::Stmt;
use voicecore_types::Millis;

use crate::Scope;
use crate::paging::{Condition, Order};
use crate::row::count_arg;

/// Room for a word and for a tag.
const WIDTH: usize = 30;

/// Whose words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextNoun {
    /// A message.
    Message,
    /// A note.
    Note,
    /// The tags of a note.
    NoteTag,
}

impl TextNoun {
    /// As it is stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Note => "note",
            Self::NoteTag => "note_tag",
        }
    }
}

statements! {
    FORGET = "delete from text_words where tenant_id = ?1 and subject_id = ?2";

    /// The words come as one text, each filled with blanks to 30 characters (`WIDTH`): one parameter for all.
    INSERT = "insert into text_words (tenant_id, noun, word, at, subject_id)
        with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < ?5)
        select t.id, cast(?2 as text), rtrim(substr(cast(?6 as text), n.i * 30 + 1, 30)), cast(?4 as bigint), cast(?3 as text)
        from tenants t join n on n.i < ?5 where t.id = ?1
        on conflict (tenant_id, noun, word, at, subject_id) do nothing";
}

/// One more word beside that with which a search begins (as `w`); its arguments: the noun, the word.
pub(crate) const AND_WORD: &str =
    "and exists (select 1 from text_words o where o.tenant_id = w.tenant_id and o.noun = ?
    and o.word = ? and o.at = w.at and o.subject_id = w.subject_id)";

/// The statement that stores words (`voicecore_domain::words`, or tags) of what was written at that moment, for its batch.
pub fn insert(scope: &Scope, noun: TextNoun, subject: String, at: Millis, words: &[String]) -> Stmt {
    let mut filled = String::with_capacity(words.len() * WIDTH);
    for word in words {
        // Writing into text does not fail.
        let _ = write!(filled, "{word:<WIDTH$}");
    }
    let args = vec![
        scope.tenant_arg(),
        noun.as_str().into(),
        subject.into(),
        at.into(),
        count_arg(words.len() as u64),
        filled.into(),
    ];
    Stmt::new(INSERT, args)
}

/// The statement that forgets the words of a subject.
pub(crate) fn forget(scope: &Scope, subject: String) -> Stmt {
    Stmt::new(FORGET, vec![scope.tenant_arg(), subject.into()])
}

/// The few things that are searched for, the longest first.
pub(crate) fn longest_first<T>(sought: impl Iterator<Item = T>, word: impl Fn(&T) -> &str) -> Vec<T> {
    let length = |one: &T| word(one).chars().count();
    let mut sorted = Vec::new();
    for one in sought {
        let at = sorted.partition_point(|known| length(known) >= length(&one));
        sorted.insert(at, one);
    }
    sorted
}

/// What a search begins with (the noun and a word), and the conditions for the rest. `sought` in any order: the longest word leads,
/// because it is likely to be the rarest. Empty, and nothing is searched for.
pub(crate) fn search(sought: &[(TextNoun, &str)]) -> Vec<Condition> {
    let sought = longest_first(sought.iter().copied(), |(_, word)| word);
    let conditions = sought.iter().enumerate().map(|(index, (noun, word))| {
        // The first one has its place in the beginning of the statement.
        (if index == 0 { "" } else { AND_WORD }, vec![noun.as_str().into(), (*word).into()])
    });
    conditions.collect()
}

/// The order of a list of what has `created_at`, by its moment; `searched`: of one that begins with a word.
pub(crate) fn order(searched: bool, oldest_first: bool) -> Order {
    let (by, after) = match (searched, oldest_first) {
        (false, false) => {
            ("order by created_at desc, id desc", "and (created_at, id) < (cast(? as bigint), ?)")
        }
        (false, true) => ("order by created_at, id", "and (created_at, id) > (cast(? as bigint), ?)"),
        (true, false) => {
            ("order by w.at desc, w.subject_id desc", "and (w.at, w.subject_id) < (cast(? as bigint), ?)")
        }
        (true, true) => ("order by w.at, w.subject_id", "and (w.at, w.subject_id) > (cast(? as bigint), ?)"),
    };
    Order { by, after }
}
