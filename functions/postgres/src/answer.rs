use std::pin::pin;

use futures_util::StreamExt as _;
use tokio_postgres::{Client, Error};
use voicecore_ports::postgres::{self, Plan, Step};
use voicecore_ports::{BoxFuture, DbError, Row, Rows};

use crate::in_order::in_order;
use crate::values::{self, Argument};

/// What one request came to: nothing but that it was done, or rows and their number.
type Done = Result<Option<(Vec<Row>, u64)>, DbError>;

/// Runs a plan. Everything up to the decision goes out at once, so a batch costs two round trips and a statement for one
/// tenant one: the end of its transaction goes along. After a statement that fails, PostgreSQL refuses the rest.
pub(crate) async fn answer(client: &Client, plan: &Plan) -> Result<Vec<Rows>, DbError> {
    // A single statement that demands nothing needs no decision: `commit` after a failure is a rollback.
    let decided = plan.transaction && !plan.demands();
    let mut requests: Vec<BoxFuture<'_, Done>> = Vec::with_capacity(plan.steps.len() + 2);
    if plan.transaction {
        requests.push(Box::pin(command(client, "begin")));
    }
    for step in &plan.steps {
        if let Some(reach) = &step.reach {
            requests.push(Box::pin(command(client, reach)));
        }
        requests.push(Box::pin(run(client, step)));
    }
    if decided {
        requests.push(Box::pin(command(client, "commit")));
    }
    let results = outcomes(plan, in_order(requests).await);
    if plan.transaction && !decided {
        command(client, if results.is_ok() { "commit" } else { "rollback" }).await?;
    }
    results
}

/// The first statement that failed or missed its count is the cause, as if none had gone out after it.
fn outcomes(plan: &Plan, done: Vec<Done>) -> Result<Vec<Rows>, DbError> {
    let mut steps = plan.steps.iter();
    let mut results = Vec::with_capacity(plan.steps.len());
    for one in done {
        if let Some((rows, counted)) = one?
            && let Some(step) = steps.next()
        {
            results.push(step.outcome(rows, counted)?);
        }
    }
    Ok(results)
}

async fn command(client: &Client, sql: &str) -> Done {
    client.batch_execute(sql).await.map_err(|error| db_error(&error))?;
    Ok(None)
}

async fn run(client: &Client, step: &Step) -> Done {
    let args = step.args.iter().map(|arg| (Argument(arg), values::type_of(arg)));
    let stream = client.query_typed_raw(&step.sql, args).await.map_err(|error| db_error(&error))?;
    let mut stream = pin!(stream);
    let mut rows = Vec::new();
    while let Some(row) = stream.next().await {
        rows.push(values::row(&row.map_err(|error| db_error(&error))?)?);
    }
    Ok(Some((rows, stream.rows_affected().unwrap_or_default())))
}

pub(crate) fn db_error(error: &Error) -> DbError {
    postgres::error(error.code().map(tokio_postgres::error::SqlState::code))
}
