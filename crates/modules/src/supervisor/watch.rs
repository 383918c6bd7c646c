//! The task that watches a module from its first answer to its end.

use super::standing::{Order, Running, Stopped, Taken};
use crate::client::ClientError;
use crate::process::{Process, describe};
use mobkit_domain::command::{Command, Ended, ModuleCommand};
use mobkit_domain::event::StopOutcome;
use mobkit_domain::id::ModuleId;
use mobkit_engine::Engine;
use std::pin::Pin;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// How long a module has for each step of its end: its input is closed, then it is asked by
/// SIGTERM, then it is killed.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
const TERMINATE_PATIENCE: Duration = Duration::from_secs(2);
/// How long a module may take to give a sign of life.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a module that has closed its output may take to end by itself.
pub(super) const EXIT_PATIENCE: Duration = Duration::from_secs(1);
/// How long the last lines of its log are waited for, so that they stand before its end.
const LOG_PATIENCE: Duration = Duration::from_millis(200);

/// Watches one start of a module.
pub(super) struct Watch {
    pub(super) engine: Engine,
    pub(super) module: ModuleId,
    pub(super) running: Arc<Running>,
    pub(super) process: Option<Process>,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) log: Option<JoinHandle<Option<()>>>,
    pub(super) ended: watch::Sender<Option<String>>,
    /// Last, so that the place is free only when nothing is left.
    pub(super) taken: Option<Taken>,
}

/// What a watch sees.
enum Seen {
    Exit(std::io::Result<ExitStatus>),
    Over(ClientError),
    Order(Option<Order>),
    /// It gave no sign of life.
    Silent(String),
}

type Probing = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

async fn exit_of(process: Option<&mut Process>) -> std::io::Result<ExitStatus> {
    match process {
        Some(process) => process.exited().await,
        None => std::future::pending().await,
    }
}

impl Watch {
    /// Watches to the end.
    pub(super) async fn run(mut self) {
        let mut probing: Option<Probing> = None;
        loop {
            let client = Arc::clone(&self.running.client);
            let seen = tokio::select! {
                biased;
                exit = exit_of(self.process.as_mut()) => Seen::Exit(exit),
                order = self.orders.recv() => Seen::Order(order),
                error = client.closed() => Seen::Over(error),
                silent = async { probing.as_mut().expect("guarded").await },
                    if probing.is_some() => {
                    probing = None;
                    match silent {
                        Some(doubt) => Seen::Silent(doubt),
                        None => continue,
                    }
                }
            };
            match seen {
                Seen::Exit(exit) => return self.exited(exit).await,
                Seen::Over(error) => return self.over(error).await,
                Seen::Silent(doubt) => return self.silent(doubt).await,
                Seen::Order(Some(Order::Probe { doubt })) => {
                    probing.get_or_insert_with(|| self.probe(doubt));
                }
                Seen::Order(Some(Order::Stop { stopped })) => {
                    let how = self.stop().await;
                    // Whoever wanted it may have stopped waiting.
                    let _ = stopped.send(how);
                    return;
                }
                // Whoever could give an order is gone: nobody wants it any longer.
                Seen::Order(None) => {
                    self.stop().await;
                    return;
                }
            }
        }
    }

    fn probe(&self, doubt: String) -> Probing {
        let client = Arc::clone(&self.running.client);
        Box::pin(async move {
            let probe = tokio::time::timeout(PROBE_TIMEOUT, client.probe());
            match probe.await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(format!("{doubt}; then a probe failed: {error}")),
                Err(_) => {
                    let patience = PROBE_TIMEOUT.as_secs();
                    Some(format!("{doubt}, nor to a probe within {patience} s"))
                }
            }
        })
    }

    async fn exited(self, exit: std::io::Result<ExitStatus>) {
        match exit {
            Ok(status) => self.end(describe(status), of_status(status)).await,
            Err(error) => {
                let reason = format!("its end could not be observed: {error}");
                self.end(reason, Ended::Failure).await;
            }
        }
    }

    async fn over(mut self, error: ClientError) {
        let reason = match error {
            ClientError::Closed if self.process.is_none() => error.to_string(),
            ClientError::Closed => {
                let exit = exit_of(self.process.as_mut());
                match tokio::time::timeout(EXIT_PATIENCE, exit).await {
                    Ok(exit) => return self.exited(exit).await,
                    Err(_) => error.to_string(),
                }
            }
            ClientError::Broken(text) => format!("broken protocol: {text}"),
            ClientError::Refused(text) | ClientError::Failed(text) | ClientError::Lost(text) => {
                text
            }
        };
        self.end(reason, Ended::Failure).await;
    }

    async fn silent(self, reason: String) {
        let unhealthy = ModuleCommand::Unhealthy {
            module: self.module.clone(),
            start: self.running.start,
            reason: self.running.redaction.text(reason.clone()),
        };
        self.submit(unhealthy).await;
        self.end(reason, Ended::Failure).await;
    }

    /// Makes sure that nothing is left, and says how it ended.
    async fn end(mut self, reason: String, ended: Ended) {
        let reason = self.running.redaction.text(reason);
        self.clear(reason.clone()).await;
        // Only now: whoever starts it again finds the place free.
        let ended = ModuleCommand::Ended {
            module: self.module.clone(),
            start: self.running.start,
            reason,
            ended,
        };
        self.submit(ended).await;
    }

    /// Kills what is left of it, tells who waits, and frees its place.
    async fn clear(&mut self, reason: String) {
        if let Some(process) = self.process.take() {
            let left = process.end(self.engine.tasks()).await;
            if left > 0 {
                tracing::warn!(module = %self.module, left, "processes were left and killed");
            }
        } else {
            let closing = self.running.client.close();
            let _ = tokio::time::timeout(CLOSE_PATIENCE, closing).await;
        }
        if let Some(log) = self.log.take() {
            let _ = tokio::time::timeout(LOG_PATIENCE, log).await;
        }
        self.ended.send_replace(Some(reason));
        self.taken = None;
    }

    /// Ends it in order.
    async fn stop(mut self) -> Stopped {
        let began = self.engine.now();
        let outcome = self.bring_to_end().await;
        let took_ms = self.engine.now().since_ms(began);
        self.clear("it was stopped".to_owned()).await;
        Stopped { outcome, took_ms }
    }

    async fn bring_to_end(&mut self) -> StopOutcome {
        let client = Arc::clone(&self.running.client);
        let Some(process) = self.process.as_mut() else {
            let _ = tokio::time::timeout(CLOSE_PATIENCE, client.close()).await;
            return StopOutcome::Exited;
        };
        let closing = async {
            client.close().await;
            std::future::pending::<()>().await;
        };
        let by_itself = async {
            tokio::select! {
                _ = process.exited() => {}
                () = closing => {}
            }
        };
        if tokio::time::timeout(CLOSE_PATIENCE, by_itself)
            .await
            .is_ok()
        {
            return StopOutcome::Exited;
        }
        process.terminate();
        let asked = tokio::time::timeout(TERMINATE_PATIENCE, process.exited());
        if asked.await.is_ok() {
            return StopOutcome::Terminated;
        }
        process.kill();
        // It can't refuse; an error means that it is gone.
        let _ = process.exited().await;
        StopOutcome::Killed
    }

    async fn submit(&self, command: ModuleCommand) {
        let submitted = self.engine.submit_internal(Command::Module(command));
        if let Err(refusal) = submitted.await {
            let module = &self.module;
            tracing::debug!(code = refusal.code, %module, "not recorded: {refusal}");
        }
    }
}

/// What a restart policy makes of an exit.
fn of_status(status: ExitStatus) -> Ended {
    if status.success() {
        Ended::Success
    } else {
        Ended::Failure
    }
}
