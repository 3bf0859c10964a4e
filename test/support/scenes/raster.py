"""One exposure of a world through a pinhole camera: textured tiles, nearest first, against a buffer of inverse depths.

The inverse depth of a plane is linear over the picture, so that visibility is exact at each pixel. The texture level is chosen
for each tile by the size of its texels in the picture.
"""
import cv2
import numpy as np

NEAR_M = 0.08
# Where a tile's texels are smaller than a pixel, the level is chosen a little finer than one texel a pixel: a sharp lens.
TEXELS_PER_PX = 1.15


class Camera:
    """`rotation` and `translation` take world to camera: x right, y down, z forward. Principal point in the middle."""

    def __init__(self, width, height, focal_px):
        self.width, self.height, self.focal_px = width, height, focal_px
        # Of pixel centres.
        self.centre = ((width - 1) / 2, (height - 1) / 2)
        self.matrix = np.array([[focal_px, 0, self.centre[0]], [0, focal_px, self.centre[1]], [0, 0, 1]])
        x, y = (width / 2 + 1) / focal_px, (height / 2 + 1) / focal_px
        # Half-spaces of what is in sight, as rows (normal, offset): normal · point ≥ offset.
        self.planes = np.array([[0, 0, 1, NEAR_M], [1, 0, x, 0], [-1, 0, x, 0], [0, 1, y, 0], [0, -1, y, 0]])


def exposure(world, camera, rotation, translation):
    """(uint8 [rows, columns, 3] gamma-coded BGR, float32 [rows, columns] inverse depth in 1/m, 0 for the sky)."""
    picture = np.empty((camera.height, camera.width, 3), np.uint8)
    picture[:] = world.sky
    nearest = np.zeros((camera.height, camera.width), np.float32)
    corners = world.corners @ rotation.T + translation
    normals = world.normals @ rotation.T
    for tile, outline in in_sight(corners, normals, camera):
        # 1/z = n · (x, y, 1) / (n · p) for the ray through a pixel.
        plane = normals[tile] / (normals[tile] @ corners[tile, 0])
        draw(world, camera, rotation, translation, tile, plane, outline, picture, nearest)
    return picture, nearest


def in_sight(corners, normals, camera):
    """Tiles that face the camera and are at least partly in its view, nearest first, with their outline if it is cut."""
    facing = np.einsum('ij,ij->i', normals, corners[:, 0]) > 1e-9
    inside = corners @ camera.planes[:, :3].T >= camera.planes[:, 3]
    seen = np.flatnonzero(facing & inside.any(1).all(1))
    for tile in seen[np.argsort(corners[seen, :, 2].mean(1))]:
        outline = corners[tile] if inside[tile].all() else cut(corners[tile], camera.planes)
        if len(outline) >= 3:
            yield tile, outline


def cut(outline, planes):
    """Sutherland and Hodgman, Reentrant polygon clipping, CACM 1974."""
    for plane in planes:
        signed = outline @ plane[:3] - plane[3]
        kept = []
        for index in range(len(outline)):
            here, before = signed[index], signed[index - 1]
            if (here >= 0) != (before >= 0):
                kept.append(outline[index - 1] + (outline[index] - outline[index - 1]) * before / (before - here))
            if here >= 0:
                kept.append(outline[index])
        if len(kept) < 3:
            return np.empty((0, 3))
        outline = np.array(kept)
    return outline


def draw(world, camera, rotation, translation, tile, plane, outline, picture, nearest):
    points = outline[:, :2] / outline[:, 2:] * camera.focal_px + camera.centre
    low = np.maximum(np.floor(points.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(points.max(0)).astype(int) + 1, (camera.width, camera.height))
    if (high <= low).any():
        return
    part = (slice(low[1], high[1]), slice(low[0], high[0]))
    a, b, c = plane / (camera.focal_px, camera.focal_px, 1)
    across = a * (np.arange(low[0], high[0]) - camera.centre[0])
    along = b * (np.arange(low[1], high[1]) - camera.centre[1]) + c
    inverse = (along[:, None] + across[None]).astype(np.float32)
    mask = np.zeros(inverse.shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round((points - low) * 256).astype(np.int32), 1, cv2.LINE_8, 8)
    mask[inverse <= nearest[part]] = 0
    if not mask.any():
        return
    pyramid = world.pyramids[world.surface[tile]]
    to_picture = camera.matrix @ np.column_stack([rotation @ world.to_texture[tile][:, :2], rotation @ world.to_texture[tile][:, 2] + translation])
    level = min(len(pyramid) - 1, max(0, round(np.log2(max(1e-6, texels_per_px(to_picture, points.mean(0), pyramid[0].shape) / TEXELS_PER_PX)))))
    rows, columns = pyramid[level].shape[:2]
    # Texel centres lie half a texel inside.
    to_unit = np.array([[1 / columns, 0, 0.5 / columns], [0, 1 / rows, 0.5 / rows], [0, 0, 1]])
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    warped = cv2.warpPerspective(pyramid[level], shift @ to_picture @ to_unit, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cv2.copyTo(warped, mask, picture[part])
    cv2.copyTo(inverse, mask, nearest[part])


def texels_per_px(to_picture, at, shape):
    """Geometric mean over directions, of the finest level, at a point of the picture."""
    inverse = np.linalg.inv(to_picture)
    u, v, w = inverse @ (at[0], at[1], 1)
    jacobian = np.array([[inverse[0, k] * w - u * inverse[2, k], inverse[1, k] * w - v * inverse[2, k]] for k in (0, 1)]) / w**2
    return np.sqrt(abs(np.linalg.det(jacobian)) * shape[0] * shape[1])
