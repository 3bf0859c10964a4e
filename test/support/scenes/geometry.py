"""Worlds of textured rectangles, cut into tiles so that each can take the texture level that its distance asks for.

World: metres, x east, y north, z up.
"""
import cv2
import numpy as np

from textures import surface

TILE_M = 1.5
LEVELS = 7


class World:
    """Rectangles with their textures. Tiles are kept as arrays over all of them, for culling at once."""

    def __init__(self, seed, px_per_m, sky=(235, 215, 195)):
        self.rng = np.random.default_rng(seed)
        self.px_per_m = px_per_m
        self.sky = sky
        self.pyramids = []
        self._corners, self._surface, self._to_texture = [], [], []

    def rectangle(self, style, origin, right, down):
        """Seen from the side from which `right` × `down` points away; both are edges in metres."""
        origin, right, down = (np.asarray(v, float) for v in (origin, right, down))
        width, height = np.linalg.norm(right), np.linalg.norm(down)
        texture = surface(style, width, height, self.px_per_m, self.rng)
        pyramid = [texture]
        while len(pyramid) < LEVELS and min(pyramid[-1].shape[:2]) >= 8:
            pyramid.append(cv2.resize(pyramid[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        self.pyramids.append(pyramid)
        across, along = (max(1, int(np.ceil(length / TILE_M))) for length in (width, height))
        for j in range(along):
            for i in range(across):
                steps = np.array([[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]]) / (across, along)
                self._corners.append(origin + steps @ np.stack([right, down]))
                self._surface.append(len(self.pyramids) - 1)
                # World point = this · (u, v, 1), with u and v from 0 to 1 over the whole surface.
                self._to_texture.append(np.stack([right, down, origin], 1))

    def box(self, style, centre, size, yaw=0.0, bottom=0.0):
        """An upright box without its underside; `centre` is (x, y), `size` (length, width, height)."""
        c, s = np.cos(yaw), np.sin(yaw)
        ex, ey, ez = np.array([c, s, 0]) * size[0], np.array([-s, c, 0]) * size[1], np.array([0, 0, size[2]])
        low = np.array([*centre, bottom]) - ex / 2 - ey / 2
        top = low + ez
        self.rectangle(style, top, ex, -ez)
        self.rectangle(style, top + ex, ey, -ez)
        self.rectangle(style, top + ex + ey, -ex, -ez)
        self.rectangle(style, top + ey, -ey, -ez)
        self.rectangle(style, top + ey, ex, -ey)

    def wall(self, style, start, end, height, bottom=0.0):
        """Upright, from `start` to `end` (x, y), seen with `start` on the left."""
        start, end = np.array([*start, bottom + height]), np.array([*end, bottom + height])
        self.rectangle(style, start, end - start, (0, 0, -height))

    def floor(self, style, low, high):
        self.rectangle(style, (low[0], high[1], 0), (high[0] - low[0], 0, 0), (0, low[1] - high[1], 0))

    def seal(self):
        self.corners = np.array(self._corners)
        # Away from the side that is seen.
        self.normals = np.cross(self.corners[:, 1] - self.corners[:, 0], self.corners[:, 3] - self.corners[:, 0])
        self.surface = np.array(self._surface)
        self.to_texture = np.array(self._to_texture)
        return self


def scattered(world, count, low, high, keep_off, sizes=(0.3, 1.1), styles=('crate', 'brick', 'posters')):
    """Boxes by chance in a rectangle of the ground, but not where `keep_off(x, y)` says; some carry another."""
    placed = 0
    while placed < count:
        x, y = world.rng.uniform(low, high)
        size = world.rng.uniform(sizes[0], sizes[1], 3)
        if keep_off(x, y):
            continue
        yaw, style = world.rng.uniform(0, np.pi), styles[int(world.rng.integers(len(styles)))]
        world.box(style, (x, y), size, yaw)
        if world.rng.uniform() < 0.35:
            world.box('crate', (x, y), size * 0.55, yaw + 0.5, size[2])
        placed += 1


def street(seed, px_per_m):
    """Two rows of façades of different depths, stalls before them, a wall at each end."""
    world = World(seed, px_per_m)
    rng = world.rng
    world.floor('paving', (-4, -6), (34, 6))
    for side in (1, -1):
        x, inner = -4.0, None
        while x < 34:
            width = min(rng.uniform(2.2, 4.5), 34 - x)
            y = side * rng.uniform(3.4, 4.6)
            style = ('brick', 'posters', 'plaster', 'brick', 'plaster')[int(rng.integers(5))]
            height = rng.uniform(3, 5.5)
            near, far = ((x, y), (x + width, y)) if side > 0 else ((x + width, y), (x, y))
            world.wall(style, near, far, height)
            if inner is not None:
                low, high = sorted((inner, y), key=abs)
                # What of a deeper façade's neighbour stands out is seen from the side.
                ends = ((x, low), (x, high)) if (abs(y) > abs(inner)) == (side > 0) else ((x, high), (x, low))
                world.wall('brick', *ends, 4)
            x, inner = x + width, y
    world.wall('posters', (34, 6), (34, -6), 6)
    world.wall('brick', (-4, -6), (-4, 6), 6)
    for side in (1, -1):
        scattered(world, 13, (-2, 1.9 if side > 0 else -3.2), (32, 3.2 if side > 0 else -1.9), lambda x, y: False)
    return world.seal()


def plaza(seed, px_per_m):
    """A stack of boxes in the middle of a square with things around it."""
    world = World(seed, px_per_m)
    rng = world.rng
    world.floor('paving', (-11, -11), (11, 11))
    world.box('posters', (0, 0), (1.3, 1.0, 0.9), 0.2)
    world.box('crate', (0.1, 0), (0.8, 0.8, 0.7), 0.7, 0.9)
    world.box('brick', (0, 0.05), (0.35, 0.5, 0.6), 1.3, 1.6)
    world.box('crate', (1.0, 0.6), (0.5, 0.5, 0.5), 0.5)
    world.box('brick', (-0.9, -0.7), (0.6, 0.4, 0.8), 1.0)
    corners = [(-11, 11), (11, 11), (11, -11), (-11, -11), (-11, 11)]
    for index, (start, end) in enumerate(zip(corners, corners[1:])):
        start, end = np.array(start), np.array(end)
        for part in range(5):
            near, far = start + (end - start) * part / 5, start + (end - start) * (part + 1) / 5
            world.wall(('plaster', 'brick', 'plaster', 'posters')[(part + index) % 4], near, far, rng.uniform(3, 5))
    scattered(world, 26, (-9.5, -9.5), (9.5, 9.5), lambda x, y: np.hypot(x, y) < 5.6, (0.5, 1.6))
    return world.seal()


def room(seed, px_per_m):
    """Four walls, a ceiling, furniture along the walls and an island."""
    world = World(seed, px_per_m)
    world.floor('paving', (-5, -4), (5, 4))
    world.rectangle('plaster', (-5, -4, 2.9), (10, 0, 0), (0, 8, 0))
    corners = [(-5, 4), (5, 4), (5, -4), (-5, -4), (-5, 4)]
    for index, (start, end) in enumerate(zip(corners, corners[1:])):
        middle = (np.array(start) + np.array(end)) / 2
        world.wall(('posters', 'brick', 'plaster', 'posters')[index], start, middle, 2.9)
        world.wall(('plaster', 'posters', 'brick', 'brick')[index], middle, end, 2.9)
    scattered(world, 24, (-4.6, -3.6), (4.6, 3.6), lambda x, y: abs(x) < 3.7 and abs(y) < 2.7, (0.4, 1.3))
    world.box('crate', (0.3, -0.2), (1.5, 0.8, 0.75), 0.3)
    world.box('posters', (0.2, -0.2), (0.4, 0.3, 0.4), 0.9, 0.75)
    return world.seal()


def hall(seed, px_per_m):
    """Two aisles between three rows of shelves with goods, open at both ends."""
    world = World(seed, px_per_m, sky=(70, 75, 80))
    rng = world.rng
    world.floor('paving', (-4, -5.5), (22, 5.5))
    world.wall('brick', (-4, -5.5), (-4, 5.5), 5)
    world.wall('posters', (22, 5.5), (22, -5.5), 5)
    world.wall('plaster', (-4, 5.5), (22, 5.5), 5)
    world.wall('plaster', (22, -5.5), (-4, -5.5), 5)
    for y in (-4.2, 0.0, 4.2):
        for x in np.arange(0.6, 18, 1.2):
            bottom = 0.0
            while bottom < 2.6:
                size = (rng.uniform(0.6, 1.1), rng.uniform(0.5, 1.1), rng.uniform(0.4, 0.9))
                style = ('crate', 'crate', 'plaster', 'posters')[int(rng.integers(4))]
                world.box(style, (x + rng.uniform(-0.1, 0.1), y + rng.uniform(-0.15, 0.15)), size, rng.uniform(-0.15, 0.15), bottom)
                bottom += size[2]
    scattered(world, 8, (-3.6, -5), (-0.8, 5), lambda x, y: abs(abs(y) - 2.1) < 1.0)
    scattered(world, 8, (18.8, -5), (21.6, 5), lambda x, y: abs(abs(y) - 2.1) < 1.0 or x < 20)
    return world.seal()


WORLDS = {'street': street, 'plaza': plaza, 'room': room, 'hall': hall}
