use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use voicecore_ports::postgres::numeric_bytes;
use voicecore_ports::{DbError, Row, Value};

type Anything = Box<dyn Error + Sync + Send>;

/// An argument, whose type the statement is told beforehand.
#[derive(Debug)]
pub(crate) struct Argument<'a>(pub(crate) &'a Value);

/// The type that PostgreSQL is told. Of null it is told none: it infers one.
pub(crate) const fn type_of(arg: &Value) -> Type {
    match arg {
        Value::Null => Type::UNKNOWN,
        Value::Int(_) => Type::INT8,
        Value::Real(_) => Type::FLOAT8,
        Value::Text(_) => Type::TEXT,
    }
}

impl ToSql for Argument<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Anything> {
        match self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(number) => number.to_sql(kind, out),
            Value::Real(number) => number.to_sql(kind, out),
            Value::Text(text) => text.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::UNKNOWN | Type::INT8 | Type::FLOAT8 | Type::TEXT)
    }

    to_sql_checked!();
}

/// A row by column name. A column of a type that the port does not know is [`DbError::Invalid`].
pub(crate) fn row(row: &tokio_postgres::Row) -> Result<Row, DbError> {
    let cell = |(index, column): (usize, &tokio_postgres::Column)| {
        let cell: Cell = row
            .try_get(index)
            .map_err(|_| DbError::Invalid("a column of a type that the port does not know".to_owned()))?;
        Ok((column.name().to_owned(), cell.0))
    };
    row.columns().iter().enumerate().map(cell).collect()
}

/// One value of a row.
struct Cell(Value);

impl<'a> FromSql<'a> for Cell {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Anything> {
        Ok(Self(match *kind {
            Type::INT8 => Value::Int(i64::from_sql(kind, raw)?),
            Type::INT4 => Value::Int(i32::from_sql(kind, raw)?.into()),
            Type::INT2 => Value::Int(i16::from_sql(kind, raw)?.into()),
            Type::BOOL => Value::Int(bool::from_sql(kind, raw)?.into()),
            Type::FLOAT8 => Value::Real(f64::from_sql(kind, raw)?),
            Type::NUMERIC => numeric_bytes(raw).ok_or("a number out of range")?,
            _ => Value::Text(String::from_sql(kind, raw)?),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Anything> {
        Ok(Self(Value::Null))
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::INT4 | Type::INT2 | Type::BOOL | Type::FLOAT8 | Type::NUMERIC)
            || <String as FromSql>::accepts(kind)
    }
}
