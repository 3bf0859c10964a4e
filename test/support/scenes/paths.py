"""How a hand carries a camera: where it means to go, and what walking and trembling make of it.

A path is stated as way-points (s, x, y, z, yaw°, pitch°); between them it runs along monotone cubics, so that a stop is a stop.
Shake after Yoshida and others' accounts of gait: two steps a stride, the body highest in mid-stance, a jolt at each heel strike.
"""
import numpy as np

STEPS_PER_S = 1.9


def hermite(times, values, at):
    """Monotone cubic interpolation of columns (Fritsch and Carlson 1980)."""
    times, values = np.asarray(times, float), np.asarray(values, float)
    widths = np.diff(times)[:, None]
    slopes = np.diff(values, axis=0) / widths
    tangents = np.zeros_like(values)
    before, after = slopes[:-1], slopes[1:]
    same = before * after > 0
    w1, w2 = 2 * widths[1:] + widths[:-1], widths[1:] + 2 * widths[:-1]
    with np.errstate(divide='ignore', invalid='ignore'):
        tangents[1:-1] = np.where(same, (w1 + w2) / (w1 / before + w2 / after), 0)
    index = int(np.clip(np.searchsorted(times, at, 'right') - 1, 0, len(times) - 2))
    width = times[index + 1] - times[index]
    s = np.clip((at - times[index]) / width, 0, 1)
    h = (1 + 2 * s) * (1 - s) ** 2, s * (1 - s) ** 2 * width, s**2 * (3 - 2 * s), s**2 * (s - 1) * width
    return h[0] * values[index] + h[1] * tangents[index] + h[2] * values[index + 1] + h[3] * tangents[index + 1]


class Path:
    def __init__(self, waypoints, seed, shutter_s, exposure, shake=1.0):
        """`exposure`: (s, stops) pairs; what the camera's automatic exposure gets wrong."""
        self.waypoints = np.array(waypoints, float)
        self.shutter_s, self.exposure, self.shake = shutter_s, np.array(exposure, float), shake
        rng = np.random.default_rng(seed)
        # Tremor of the hand, 0.4–9 Hz, falling with frequency: physiological tremor and slow sway.
        self.tremor_hz = rng.uniform(0.4, 9, (6, 8))
        self.tremor_phase = rng.uniform(0, 2 * np.pi, (6, 8))
        self.jolts = rng.uniform(0.3, 1.6, 4096)

    @property
    def seconds(self):
        return self.waypoints[-1, 0]

    def stops(self, at):
        return float(np.interp(at, self.exposure[:, 0], self.exposure[:, 1]))

    def meant(self, at):
        return hermite(self.waypoints[:, 0], self.waypoints[:, 1:], at)

    def gait(self, at):
        """0 standing, 1 walking, by the speed around this time."""
        speed = np.linalg.norm(self.meant(at + 0.2)[:3] - self.meant(at - 0.2)[:3]) / 0.4
        return min(1.0, speed / 0.7)

    def pose(self, at):
        """(rotation, translation) from world to camera."""
        x, y, z, yaw, pitch = self.meant(at)
        walk, step = self.shake * self.gait(at), at * STEPS_PER_S
        # Hermes: 4–5 cm of bob and sway of a walking head, less in hands that mean to hold still.
        bob, sway = 0.018 * walk * np.sin(2 * np.pi * step), 0.016 * walk * np.sin(np.pi * step)
        since = (step % 1) / STEPS_PER_S
        jolt = walk * self.jolts[int(step) % len(self.jolts)] * np.exp(-since / 0.07) * np.sin(2 * np.pi * 7 * since)
        tremor = (np.sin(2 * np.pi * self.tremor_hz * at + self.tremor_phase) / (1 + self.tremor_hz)).sum(1) * self.shake
        yaw += 0.5 * walk * np.sin(np.pi * step + 1) + 0.25 * tremor[0]
        pitch += 0.5 * walk * np.sin(2 * np.pi * step + 2) + 0.6 * jolt + 0.25 * tremor[1]
        roll = 0.8 * walk * np.sin(np.pi * step + 2.5) + 0.25 * jolt + 0.2 * tremor[2]
        rotation = looking(np.deg2rad(yaw), np.deg2rad(pitch), np.deg2rad(roll))
        centre = np.array([x, y, z]) + rotation[0] * (sway + 0.003 * tremor[3]) + np.array([0, 0, bob + 0.003 * tremor[4]])
        return rotation, -rotation @ centre


def looking(yaw, pitch, roll):
    """World to camera. Yaw 0 looks east, counter-clockwise; pitch up; roll clockwise."""
    forward = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
    right = np.array([np.sin(yaw), -np.cos(yaw), 0])
    down = np.cross(forward, right)
    c, s = np.cos(roll), np.sin(roll)
    return np.stack([c * right + s * down, -s * right + c * down, forward])


def street(seed):
    """A walk with stops, the eye on one side and then the other, a run, and a look aside on the spot."""
    return Path(
        [
            (0, 0, -0.3, 1.55, 42, -4),
            (1.8, 0, -0.3, 1.55, 42, -4),
            (6.0, 4.2, 0, 1.55, 50, -5),
            # A stop that looks at a stall.
            (6.6, 4.5, 0, 1.5, 52, -7),
            (9.6, 4.5, 0, 1.5, 52, -7),
            (10.4, 5.3, 0, 1.5, 48, -5),
            # Over to the other side, without slowing down.
            (12.0, 7.6, 0, 1.5, -50, -4),
            (13.0, 8.6, 0, 1.5, -54, -4),
            # A run.
            (15.4, 15.6, 0.3, 1.5, -46, -4),
            (16.2, 16.4, 0.3, 1.5, -52, -6),
            (16.6, 16.45, 0.3, 1.5, -54, -6),
            # Aside and back.
            (17.2, 16.45, 0.3, 1.5, -105, -3),
            (17.8, 16.45, 0.3, 1.5, -107, -3),
            (18.5, 16.45, 0.3, 1.5, -56, -6),
            (18.9, 16.7, 0.3, 1.5, -54, -6),
            (20.5, 19.0, 0.1, 1.55, 46, -5),
            (21.6, 20.2, 0.1, 1.55, 48, -5),
            (22, 20.3, 0.1, 1.55, 48, -5),
        ],
        seed,
        1 / 120,
        [(0, 0), (10, 0), (11.2, 0.5), (13, 0), (17.2, -0.5), (17.9, 0.2), (18.6, -0.3), (20, 0.4), (22, 0)],
    )


def around(turns, radius=(3.4, 2.6), height=(1.6, 1.35)):
    """Way-points on a circle that look at its middle; `turns`: (s, degrees)."""
    points = []
    for index, (at, degrees) in enumerate(turns):
        near = (index % 4) / 3
        r, z = radius[0] + (radius[1] - radius[0]) * near, height[0] + (height[1] - height[0]) * near
        a = np.deg2rad(degrees)
        points.append((at, r * np.cos(a), r * np.sin(a), z, degrees + 180, -np.rad2deg(np.arctan2(z - 0.7, r))))
    return points


def orbit(seed):
    """Nearly once round an object, with pauses and two hurried quarters."""
    turns = [(0, 0), (1.5, 0), (2.6, 12), (4.4, 40), (5, 44), (7.6, 44), (8.2, 54), (9.8, 150), (10.4, 158), (13.2, 158)]
    turns += [(14.2, 166), (16.2, 200), (16.8, 206), (18.4, 302), (19, 310), (22, 314)]
    return Path(around(turns), seed, 1 / 100, [(0, 0), (6, 0.1), (9, -0.5), (12, 0.3), (17, 0), (18, 0.5), (22, 0)])


def room(seed):
    """Along the walls of a room: slowly sideways, quickly from wall to wall, and a look back and forth on the spot."""
    return Path(
        [
            (0, -3, -1.2, 1.5, 92, -8),
            (1.2, -3, -1.2, 1.5, 92, -8),
            (5.2, -0.2, -1.7, 1.5, 80, -8),
            (6.0, 0.1, -1.75, 1.45, 78, -9),
            # Back and forth.
            (6.6, 0.1, -1.75, 1.45, 126, -9),
            (7.2, 0.1, -1.75, 1.45, 128, -9),
            (7.9, 0.1, -1.75, 1.45, 76, -9),
            (8.2, 0.2, -1.75, 1.45, 75, -9),
            (10.6, 2.6, -1.8, 1.5, 60, -8),
            (11.0, 2.8, -1.8, 1.5, 56, -8),
            # To the next wall.
            (12.5, 2.7, -1.0, 1.5, -30, -8),
            (12.9, 2.7, -0.7, 1.5, -33, -8),
            (15.4, 2.3, 1.3, 1.5, -40, -9),
            (15.9, 2.2, 1.4, 1.5, -42, -9),
            (17.9, 2.2, 1.4, 1.5, -42, -9),
            (18.3, 2.0, 1.5, 1.5, -46, -9),
            (19.8, 1.2, 1.8, 1.5, -128, -9),
            (20.2, 0.9, 1.85, 1.5, -132, -9),
            (22, -0.7, 1.9, 1.5, -126, -9),
        ],
        seed,
        1 / 60,
        [(0, 0), (6, 0), (6.6, -0.5), (7.4, 0.1), (11, 0.2), (11.8, -0.5), (13, 0), (16, 0.5), (19, 0), (19.8, 0.6), (22, 0.1)],
    )


def hall(seed):
    """Along an aisle between shelves: a stroll, a run, across to the other shelves and on slowly; light and dark."""
    return Path(
        [
            (0, -1.6, -2.2, 1.5, 32, -4),
            (1.2, -1.6, -2.2, 1.5, 32, -4),
            (6.0, 1.4, -2.3, 1.5, 52, -4),
            (6.6, 1.6, -2.3, 1.5, 54, -4),
            (9.0, 1.6, -2.3, 1.5, 54, -4),
            (9.6, 2.4, -2.3, 1.5, 52, -4),
            (12.0, 9.6, -2.3, 1.5, 44, -4),
            (12.8, 10.6, -2.3, 1.5, 44, -4),
            (13.6, 11.4, -2.2, 1.5, 40, -4),
            (15.2, 13.0, -2.1, 1.5, -52, -4),
            (16.0, 13.8, -2.0, 1.5, -56, -4),
            (20.0, 15.4, -2.0, 1.5, -52, -4),
            (20.8, 15.6, -2.0, 1.5, -50, -4),
            (22, 17.4, -2.1, 1.5, -34, -4),
        ],
        seed,
        1 / 80,
        [(0, 0.2), (3, -0.3), (6, 0.4), (9, -0.6), (12, 0.5), (14, -0.5), (17, 0.3), (20, -0.2), (22, 0.2)],
    )


PATHS = {'street': (street, 'street'), 'orbit': (orbit, 'plaza'), 'room': (room, 'room'), 'hall': (hall, 'hall')}
