"""The scan regions of the six real screens, traced by hand on the pictures (975 x 735 pixels), and their rulers.

Where an area was painted over to hide something, the outline goes on as the fan does. Ticks: pixels from one long
tick to the next, read off the picture, and the millimetres between them.
"""

OUTLINES = {
    "4CH": ((228, 74), (747, 74), (898, 734), (60, 734)),
    "ABDOMINAL": ((290, 74), (672, 74), (910, 734), (50, 734)),
    "BRAIN-TV": ((203, 74), (757, 74), (959, 225), (959, 680), (838, 734), (122, 734), (1, 680), (1, 225)),
    "FEMUR": ((283, 74), (680, 74), (959, 672), (959, 734), (1, 734), (1, 682)),
    "PROFILE": (
        (285, 74), (685, 74), (959, 277), (959, 664), (874, 703), (800, 734), (165, 734), (90, 703), (1, 664), (1, 274),
    ),
    "SPINE-SAGITTAL": (
        (318, 74), (655, 74), (959, 521), (959, 648), (860, 695), (760, 722), (690, 734), (285, 734), (200, 720),
        (100, 692), (1, 648), (1, 521),
    ),
}  # fmt: skip
TICKS = {
    "4CH": (159.5, 10.0),
    "ABDOMINAL": (369.0, 50.0),
    "BRAIN-TV": (349.0, 50.0),
    "FEMUR": (380.0, 50.0),
    "PROFILE": (205.0, 50.0),
    "SPINE-SAGITTAL": (291.0, 50.0),
}
