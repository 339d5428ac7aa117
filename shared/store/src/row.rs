use std::str::FromStr;

use voicecore_ports::{Row, Rows, Value};
use voicecore_types::Millis;

use crate::StoreError;
use crate::seal::{LookupHash, Sealed, WrappedKey};

/// Reads a row by column and type. Whatever does not fit is [`StoreError::OddRow`].
pub(crate) struct Reader<'a>(&'a Row);

/// The only row, if there is one.
pub(crate) fn one<T>(
    rows: &Rows,
    map: impl FnOnce(Reader<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    rows.rows.first().map(|row| map(Reader(row))).transpose()
}

/// Every row.
pub(crate) fn all<T>(
    rows: &Rows,
    map: impl Fn(Reader<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    rows.rows.iter().map(|row| map(Reader(row))).collect()
}

impl Reader<'_> {
    pub(crate) fn opt_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(Value::Null) => Ok(None),
            _ => Err(StoreError::OddRow { column }),
        }
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.opt_text(column)?.ok_or(StoreError::OddRow { column })
    }

    /// Text with a form of its own: an id, a status.
    pub(crate) fn parsed<T: FromStr>(&self, column: &'static str) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|_| StoreError::OddRow { column })
    }

    /// The same, or null.
    pub(crate) fn opt_parsed<T: FromStr>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        self.opt_text(column)?.map(|text| text.parse()).transpose().map_err(|_| StoreError::OddRow { column })
    }

    pub(crate) fn opt_count(&self, column: &'static str) -> Result<Option<u64>, StoreError> {
        match self.0.get(column) {
            Some(Value::Int(n)) => u64::try_from(*n).map(Some).map_err(|_| StoreError::OddRow { column }),
            Some(Value::Null) => Ok(None),
            _ => Err(StoreError::OddRow { column }),
        }
    }

    pub(crate) fn count(&self, column: &'static str) -> Result<u64, StoreError> {
        self.opt_count(column)?.ok_or(StoreError::OddRow { column })
    }

    pub(crate) fn small(&self, column: &'static str) -> Result<u32, StoreError> {
        u32::try_from(self.count(column)?).map_err(|_| StoreError::OddRow { column })
    }

    pub(crate) fn moment(&self, column: &'static str) -> Result<Millis, StoreError> {
        self.count(column).map(Millis)
    }

    pub(crate) fn opt_moment(&self, column: &'static str) -> Result<Option<Millis>, StoreError> {
        Ok(self.opt_count(column)?.map(Millis))
    }

    pub(crate) fn sealed(&self, column: &'static str) -> Result<Option<Sealed>, StoreError> {
        Ok(self.opt_text(column)?.map(Sealed::from_stored))
    }

    pub(crate) fn wrapped_key(&self, column: &'static str) -> Result<WrappedKey, StoreError> {
        self.text(column).map(WrappedKey::from_stored)
    }
}

impl From<&Sealed> for Value {
    fn from(sealed: &Sealed) -> Self {
        sealed.as_stored().into()
    }
}

impl From<&WrappedKey> for Value {
    fn from(key: &WrappedKey) -> Self {
        key.as_stored().into()
    }
}

impl From<&LookupHash> for Value {
    fn from(hash: &LookupHash) -> Self {
        hash.as_stored().into()
    }
}

/// A count as an argument; beyond what a column holds it saturates.
pub(crate) fn count_arg(count: u64) -> Value {
    // A count and a moment share their bounds.
    Millis(count).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_rows_are_errors() {
        let row: Row = [
            ("text".to_owned(), Value::Text("x".to_owned())),
            ("negative".to_owned(), Value::Int(-1)),
            ("large".to_owned(), Value::Int(1 << 40)),
            ("real".to_owned(), Value::Real(1.5)),
            ("null".to_owned(), Value::Null),
        ]
        .into();
        let row = Reader(&row);
        assert!(row.text("missing").is_err() && row.text("null").is_err() && row.text("large").is_err());
        assert!(row.count("negative").is_err() && row.count("real").is_err() && row.count("text").is_err());
        assert!(row.small("large").is_err() && row.parsed::<voicecore_types::CallId>("text").is_err());
        assert_eq!(row.opt_text("null").unwrap(), None);
        assert_eq!(row.count("large").unwrap(), 1 << 40);
    }

    #[test]
    fn counts_saturate() {
        assert_eq!(count_arg(7), Value::Int(7));
        assert_eq!(count_arg(u64::MAX), Value::Int(voicecore_ports::MAX_INT));
    }
}
