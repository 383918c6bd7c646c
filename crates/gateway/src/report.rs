//! What came of bringing the mob to what is wanted.

use mobkit_domain::plan::{ApplyReport, EdgeReport};
use schemars::JsonSchema;
use serde::Serialize;

/// What came of a plan.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Applied {
    /// Whether the mob is now what was wanted.
    pub complete: bool,
    /// What was done and what failed.
    #[serde(flatten)]
    pub report: ApplyReport,
}

impl From<ApplyReport> for Applied {
    fn from(report: ApplyReport) -> Self {
        Self {
            complete: report.is_complete(),
            report,
        }
    }
}

/// What came of the edges.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EdgesApplied {
    /// Whether the edges are now what was wanted.
    pub complete: bool,
    /// What was done and what failed.
    #[serde(flatten)]
    pub report: EdgeReport,
}

impl From<EdgeReport> for EdgesApplied {
    fn from(report: EdgeReport) -> Self {
        Self {
            complete: report.is_complete(),
            report,
        }
    }
}
