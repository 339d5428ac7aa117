//! G.711 µ-law (ITU-T G.711, table 2): one byte per sample, 14 bits of range.

const BIAS: i32 = 0x84;
const CLIP: i32 = 32_635;

/// One µ-law byte as a 16-bit sample.
pub const fn decode(byte: u8) -> i16 {
    let inverted = !byte;
    let exponent = (inverted >> 4) & 0x07;
    let mantissa = (inverted & 0x0F) as i32;
    let magnitude = (((mantissa << 3) + BIAS) << exponent) - BIAS;
    (if inverted & 0x80 == 0 { magnitude } else { -magnitude }) as i16
}

/// A 16-bit sample as its nearest µ-law byte.
pub fn encode(sample: i16) -> u8 {
    let value = i32::from(sample);
    let sign = if value < 0 { 0x80 } else { 0 };
    let magnitude = value.abs().min(CLIP) + BIAS;
    // The biased magnitude lies in 0x84..=0x7FFF: its highest bit is one of 7..=14 and names the segment.
    let exponent = magnitude.ilog2().cast_signed() - 7;
    let mantissa = (magnitude >> (exponent + 3)) & 0x0F;
    !(sign | (exponent << 4) | mantissa) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_of_the_standard() {
        let table =
            [(0xFF, 0), (0x7F, 0), (0x80, 32_124), (0x00, -32_124), (0xFE, 8), (0x7E, -8), (0xEF, 132)];
        for (byte, sample) in table {
            assert_eq!(decode(byte), sample, "{byte:#x}");
        }
    }

    #[test]
    fn every_byte_comes_back_except_negative_zero() {
        for byte in 0..=u8::MAX {
            let back = encode(decode(byte));
            assert_eq!(back, if byte == 0x7F { 0xFF } else { byte });
        }
    }

    #[test]
    fn the_error_stays_within_half_a_step_of_the_segment() {
        for sample in (i16::MIN..=i16::MAX).step_by(7) {
            let clipped = i32::from(sample).clamp(-CLIP, CLIP);
            let error = (i32::from(decode(encode(sample))) - clipped).abs();
            assert!(error <= (clipped.abs() + BIAS) / 16 / 2 + 4, "{sample}: {error}");
        }
    }
}
