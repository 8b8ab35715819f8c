// Where the other pages show what belongs to a scene.

const part = encodeURIComponent;

export const deskOf = ({ id }) => `/desk?${new URLSearchParams({ scene: id })}`;

/** The form of the scene's scenario. */
export const scenarioOf = ({ series, name }) => `/scenarios#/edit/${part(series)}/${part(name)}`;

/** The scene to read and to take away. */
export const readingOf = ({ id }) => `/output?${new URLSearchParams({ scene: id })}`;
