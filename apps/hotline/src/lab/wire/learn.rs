//! The observer's classifiers: trained on some runs, asked about others.
//!
//! | method | of | sees |
//! |---|---|---|
//! | logistic regression | smartcore | figures of the window |
//! | gradient boosting (XGBoost) | smartcore | figures |
//! | random forest | smartcore | figures |
//! | k nearest neighbours | smartcore | figures |
//! | random convolutions (as ROCKET, Dempster et al. 2020), then logistic regression | here, smartcore | raw ticks |
//!
//! All give scores, for AUC. Everything is seeded: the same capture gives the same figures.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use smartcore::algorithm::neighbour::KNNAlgorithmName;
use smartcore::ensemble::random_forest_regressor::{
    RandomForestRegressor, RandomForestRegressorParameters,
};
use smartcore::error::Failed;
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};
use smartcore::neighbors::knn_regressor::{KNNRegressor, KNNRegressorParameters};
use smartcore::xgboost::{XGRegressor, XGRegressorParameters};

use super::features::Sample;
use super::stats::{below, correlation, moments};

/// How it is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Logistic regression.
    Logistic,
    /// Gradient boosting.
    Boosting,
    /// Random forest.
    Forest,
    /// k nearest neighbours.
    Nearest,
    /// On raw sequences: random convolutions.
    Sequence,
}

impl Method {
    /// All of them.
    pub(super) const ALL: [Method; 5] =
        [Method::Logistic, Method::Boosting, Method::Forest, Method::Nearest, Method::Sequence];

    /// As it is called in reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Method::Logistic => "logistic",
            Method::Boosting => "boosting",
            Method::Forest => "forest",
            Method::Nearest => "nearest",
            Method::Sequence => "sequence",
        }
    }
}

/// Standard deviations beyond which a figure is cut: one hiccup of the machine must not steer a model.
const CUT: f64 = 6.0;
/// Random convolutions.
const KERNELS: usize = 150;
/// Taps of each.
const TAPS: usize = 9;

/// Scales columns to mean 0 and deviation 1 on the training rows, and all rows alike.
fn scale(train: &mut [Vec<f64>], test: &mut [Vec<f64>]) {
    let columns = train.first().map_or(0, Vec::len);
    for column in 0..columns {
        let (mean, deviation) = moments(&train.iter().map(|row| row[column]).collect::<Vec<_>>());
        // A column that never varied in training still counts where it varies now.
        let unit = if deviation > 1e-9 { deviation } else { 1.0 };
        for row in train.iter_mut().chain(test.iter_mut()) {
            row[column] = ((row[column] - mean) / unit).clamp(-CUT, CUT);
        }
    }
}

/// Keeps the columns that go with the label in training: a few hundred windows drown in a few hundred figures.
fn screen(train: &mut [Vec<f64>], test: &mut [Vec<f64>], y: &[f64], keep: usize) {
    let columns = train.first().map_or(0, Vec::len);
    let mut order: Vec<(f64, usize)> = (0..columns)
        .map(|c| (correlation(&train.iter().map(|row| row[c]).collect::<Vec<_>>(), y).abs(), c))
        .collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    order.truncate(keep);
    for row in train.iter_mut().chain(test.iter_mut()) {
        *row = order.iter().map(|(_, c)| row[*c]).collect();
    }
}

/// One random convolution: over one channel, with gaps between its taps.
struct Kernel {
    channel: usize,
    weights: [f64; TAPS],
    step: usize,
    bias: f64,
}

impl Kernel {
    fn draw(rng: &mut ChaCha20Rng, channels: usize, length: usize) -> Kernel {
        let mut weights = [0.0; TAPS];
        for weight in &mut weights {
            *weight = below(rng, 2_001) as f64 / 1_000.0 - 1.0;
        }
        let mean = weights.iter().sum::<f64>() / TAPS as f64;
        // Half of the kernels keep their sum: they see levels, the others changes only.
        if below(rng, 2) == 0 {
            weights.iter_mut().for_each(|w| *w -= mean);
        }
        let longest = (length.max(TAPS + 1) - 1) / (TAPS - 1);
        let step = 1 << below(rng, longest.max(1).ilog2() as usize + 1);
        let bias = below(rng, 2_001) as f64 / 1_000.0 - 1.0;
        Kernel { channel: below(rng, channels), weights, step, bias }
    }

    /// The part of places where it responds, and its mean response.
    fn apply(&self, raw: &[Vec<f64>]) -> [f64; 2] {
        let row = &raw[self.channel];
        let span = self.step * (TAPS - 1);
        let places = row.len().saturating_sub(span);
        let (mut over, mut sum) = (0.0, 0.0);
        for start in 0..places {
            let taps = self.weights.iter().enumerate();
            let value = taps.map(|(i, w)| w * row[start + i * self.step]).sum::<f64>() + self.bias;
            over += f64::from(u8::from(value > 0.0));
            sum += value;
        }
        let places = places.max(1) as f64;
        [over / places, sum / places]
    }
}

/// Raw sequences, each channel scaled by its deviation in training, through the same random kernels.
fn convolved(train: &[&Sample], test: &[&Sample], rng: &mut ChaCha20Rng) -> [Vec<Vec<f64>>; 2] {
    let channels = train.first().map_or(0, |s| s.raw.len());
    let length = train.first().and_then(|s| s.raw.first()).map_or(0, Vec::len);
    let scales: Vec<(f64, f64)> = (0..channels)
        .map(|c| {
            let mut all: Vec<f64> = train.iter().flat_map(|s| s.raw[c].iter().copied()).collect();
            all.sort_by(f64::total_cmp);
            let (middle, deviation) = (super::stats::quantile(&all, 0.5), moments(&all).1);
            (middle, if deviation > 1e-9 { deviation } else { 1.0 })
        })
        .collect();
    let kernels: Vec<Kernel> =
        (0..KERNELS).map(|_| Kernel::draw(rng, channels.max(1), length)).collect();
    let through = |samples: &[&Sample]| {
        samples
            .iter()
            .map(|s| {
                let raw: Vec<Vec<f64>> = s
                    .raw
                    .iter()
                    .zip(&scales)
                    .map(|(row, (middle, unit))| {
                        row.iter().map(|v| ((v - middle) / unit).clamp(-CUT, CUT)).collect()
                    })
                    .collect();
                kernels.iter().flat_map(|k| k.apply(&raw)).collect()
            })
            .collect()
    };
    [through(train), through(test)]
}

fn logistic(
    x: &DenseMatrix<f64>,
    y: &[bool],
    asked: &[Vec<f64>],
    alpha: f64,
) -> Result<Vec<f64>, Failed> {
    let classes: Vec<i32> = y.iter().map(|p| i32::from(*p)).collect();
    let parameters = LogisticRegressionParameters::default().with_alpha(alpha);
    let model = LogisticRegression::fit(x, &classes, parameters)?;
    let weights: Vec<f64> = model.coefficients().iterator(0).copied().collect();
    Ok(asked.iter().map(|row| row.iter().zip(&weights).map(|(v, w)| v * w).sum()).collect())
}

/// Scores of `test` by a model that has seen `train` only.
///
/// # Errors
/// The training runs lack a class.
pub(super) fn scores(
    method: Method,
    train: &[&Sample],
    test: &[&Sample],
    seed: u64,
) -> Result<Vec<f64>, Failed> {
    let figures = |s: &[&Sample]| s.iter().map(|s| s.features.clone()).collect::<Vec<_>>();
    let [mut known, mut asked] = match method {
        Method::Sequence => convolved(train, test, &mut ChaCha20Rng::seed_from_u64(seed)),
        _ => [figures(train), figures(test)],
    };
    scale(&mut known, &mut asked);
    let y: Vec<bool> = train.iter().map(|s| s.positive).collect();
    let target: Vec<f64> = y.iter().map(|p| f64::from(u8::from(*p))).collect();
    match method {
        Method::Logistic | Method::Nearest => screen(&mut known, &mut asked, &target, 6),
        Method::Sequence => screen(&mut known, &mut asked, &target, 12),
        // Trees choose for themselves.
        Method::Boosting | Method::Forest => {}
    }
    let x = DenseMatrix::from_2d_vec(&known)?;
    let rows = DenseMatrix::from_2d_vec(&asked)?;
    match method {
        Method::Logistic => logistic(&x, &y, &asked, 1.0),
        Method::Sequence => logistic(&x, &y, &asked, 1.0),
        Method::Boosting => XGRegressor::fit(
            &x,
            &target,
            XGRegressorParameters::default()
                .with_n_estimators(40)
                .with_learning_rate(0.1)
                .with_max_depth(3)
                .with_subsample(0.8)
                .with_seed(seed),
        )?
        .predict(&rows),
        Method::Forest => RandomForestRegressor::fit(
            &x,
            &target,
            RandomForestRegressorParameters::default()
                .with_n_trees(60)
                .with_max_depth(8)
                .with_min_samples_leaf(2)
                .with_seed(seed),
        )?
        .predict(&rows),
        Method::Nearest => KNNRegressor::fit(
            &x,
            &target,
            KNNRegressorParameters::default()
                .with_algorithm(KNNAlgorithmName::LinearSearch)
                .with_k(7.min(train.len())),
        )?
        .predict(&rows),
    }
}
