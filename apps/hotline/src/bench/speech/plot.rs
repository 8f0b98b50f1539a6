//! The scores as a picture: SVG, written by hand, since two small charts need no library.

use std::fmt::Write as _;

use super::report::{Row, Score, SpeechReport};

const WIDTH: f32 = 330.0;
const HEIGHT: f32 = 240.0;
const TOP: f32 = 70.0;

/// One of the three ways of coding.
struct Way {
    name: &'static str,
    colour: &'static str,
    score: fn(&Row) -> Score,
}

// Colours that are told apart by colour-blind people too (Okabe and Ito).
const WAYS: [Way; 3] = [
    Way { name: "DRED (Hotline)", colour: "#0072b2", score: |row| row.dred },
    Way { name: "in-band FEC", colour: "#e69f00", score: |row| row.fec },
    Way { name: "concealment", colour: "#7f7f7f", score: |row| row.plc },
];

/// One of the two charts.
struct Chart {
    title: &'static str,
    left: f32,
    lowest: f32,
    highest: f32,
    step: f32,
    value: fn(Score) -> f32,
}

const CHARTS: [Chart; 2] = [
    Chart {
        title: "Quality (PESQ wide-band)",
        left: 60.0,
        lowest: 1.0,
        highest: 4.5,
        step: 0.5,
        value: |score| score.pesq,
    },
    Chart {
        title: "Intelligibility (STOI)",
        left: 460.0,
        lowest: 0.5,
        highest: 1.0,
        step: 0.1,
        value: |score| score.stoi,
    },
];

impl Chart {
    fn x(&self, percent: f32) -> f32 {
        self.left + percent / 30.0 * WIDTH
    }

    fn y(&self, value: f32) -> f32 {
        let part = (value - self.lowest) / (self.highest - self.lowest);
        TOP + HEIGHT * (1.0 - part.clamp(0.0, 1.0))
    }
}

/// The whole picture.
pub(super) fn svg(report: &SpeechReport) -> String {
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 820 400\" width=\"820\" height=\"400\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"820\" height=\"400\" fill=\"white\"/>\n",
    );
    // Writing to a string cannot fail.
    let _ = draw(&mut svg, report);
    svg.push_str("</svg>\n");
    svg
}

fn draw(svg: &mut String, report: &SpeechReport) -> std::fmt::Result {
    writeln!(
        svg,
        "<text x=\"410\" y=\"24\" font-size=\"15\" text-anchor=\"middle\">Speech over loss, \
         {} bytes every 20 ms</text>",
        report.packet_bytes
    )?;
    for chart in &CHARTS {
        axes(svg, chart)?;
        for way in &WAYS {
            for bursts in [false, true] {
                line(svg, report, chart, way, bursts)?;
            }
        }
    }
    for (i, way) in WAYS.iter().enumerate() {
        let x = 60.0 + i as f32 * 150.0;
        writeln!(
            svg,
            "<rect x=\"{x}\" y=\"366\" width=\"12\" height=\"12\" fill=\"{}\"/>\
             <text x=\"{}\" y=\"376\">{}</text>",
            way.colour,
            x + 18.0,
            way.name
        )?;
    }
    for (x, dash, name) in [(520.0, "6 4", "random loss"), (660.0, "none", "in bursts of 4")] {
        writeln!(
            svg,
            "<line x1=\"{x}\" y1=\"372\" x2=\"{}\" y2=\"372\" stroke=\"black\" stroke-width=\"2\" \
             stroke-dasharray=\"{dash}\"/><text x=\"{}\" y=\"376\">{name}</text>",
            x + 30.0,
            x + 36.0
        )?;
    }
    Ok(())
}

fn axes(svg: &mut String, chart: &Chart) -> std::fmt::Result {
    let (left, right) = (chart.left, chart.left + WIDTH);
    writeln!(
        svg,
        "<text x=\"{}\" y=\"54\" font-size=\"13\" text-anchor=\"middle\">{}</text>",
        left + WIDTH / 2.0,
        chart.title
    )?;
    let steps = ((chart.highest - chart.lowest) / chart.step).round() as u32;
    for i in 0..=steps {
        let value = chart.lowest + i as f32 * chart.step;
        let y = chart.y(value);
        writeln!(
            svg,
            "<line x1=\"{left}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value:.1}</text>",
            left - 8.0,
            y + 4.0
        )?;
    }
    for percent in super::LOSSES {
        writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{percent} %</text>",
            chart.x(percent as f32),
            TOP + HEIGHT + 18.0
        )?;
    }
    writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">packets lost</text>",
        left + WIDTH / 2.0,
        TOP + HEIGHT + 36.0
    )
}

fn line(
    svg: &mut String,
    report: &SpeechReport,
    chart: &Chart,
    way: &Way,
    bursts: bool,
) -> std::fmt::Result {
    let mut points = String::new();
    for row in report.rows.iter().filter(|row| row.bursts == bursts) {
        let (x, y) = (chart.x(row.loss_percent as f32), chart.y((chart.value)((way.score)(row))));
        write!(points, "{x:.1},{y:.1} ")?;
        writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{}\"/>", way.colour)?;
    }
    writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" \
         stroke-dasharray=\"{}\"/>",
        points.trim_end(),
        way.colour,
        if bursts { "none" } else { "6 4" }
    )
}
