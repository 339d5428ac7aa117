//! WAV files, to be listened to.

use std::path::Path;

use anyhow::{Context, ensure};

use super::{SAMPLE_RATE, decode, encode, resample::to_telephone};

/// Writes µ-law as 16-bit WAV; with more than one channel the shorter ones are filled up with silence.
pub fn write_wav(path: &Path, channels: &[&[u8]]) -> anyhow::Result<()> {
    let spec = hound::WavSpec {
        channels: u16::try_from(channels.len()).context("too many channels")?,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer =
        hound::WavWriter::create(path, spec).with_context(|| format!("writing {}", path.display()))?;
    let length = channels.iter().map(|c| c.len()).max().unwrap_or(0);
    for at in 0..length {
        for channel in channels {
            writer.write_sample(channel.get(at).map_or(0, |b| decode(*b)))?;
        }
    }
    writer.finalize()?;
    Ok(())
}

/// Reads the first channel of a 16-bit WAV file of 8 kHz or more as µ-law.
pub fn read_wav(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut reader = hound::WavReader::open(path).with_context(|| format!("reading {}", path.display()))?;
    let spec = reader.spec();
    ensure!(spec.bits_per_sample == 16 && spec.sample_format == hound::SampleFormat::Int, "not 16-bit WAV");
    ensure!(spec.sample_rate >= SAMPLE_RATE, "below 8 kHz");
    let samples: Vec<i16> =
        reader.samples::<i16>().step_by(spec.channels.into()).collect::<Result<_, _>>()?;
    Ok(to_telephone(&samples, spec.sample_rate).into_iter().map(encode).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        let path = std::env::temp_dir().join(format!("voicecore-wav-{}.wav", std::process::id()));
        let tone: Vec<u8> = (0..800).map(|n| encode((8_000.0 * (f64::from(n) * 0.3).sin()) as i16)).collect();
        write_wav(&path, &[&tone, &tone[..100]]).unwrap();
        let back = read_wav(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(back.len(), tone.len());
        let error = |at: usize| (i32::from(decode(back[at])) - i32::from(decode(tone[at]))).abs();
        assert!((100..700).all(|at| error(at) < 1_000), "the filter at equal rates changes little");
    }
}
