//! Chance that comes from the seed.

/// A stream of random numbers that depends on nothing but the seed and a name.
pub struct Chance(fastrand::Rng);

impl Chance {
    /// The stream of this name. Streams of different names have nothing to do with each other, so
    /// that a choice more in one place changes none in another.
    pub fn of(seed: u64, name: &str) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self(fastrand::Rng::with_seed(hash))
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0.u64(low..=high)
    }

    /// True so many times of a hundred.
    pub fn percent(&mut self, of_hundred: u64) -> bool {
        self.between(1, 100) <= of_hundred
    }

    /// One of several; there must be some.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.0.usize(..of.len())].clone()
    }

    /// One of several, each as often as its weight says.
    pub fn weighed<'a, T>(&mut self, of: &'a [(u64, T)]) -> &'a T {
        let total = of.iter().map(|(weight, _)| weight).sum::<u64>();
        let mut left = self.between(1, total);
        for (weight, one) in of {
            if left <= *weight {
                return one;
            }
            left -= weight;
        }
        unreachable!("the weights add up to the total")
    }
}
