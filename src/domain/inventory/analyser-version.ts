/**
 * Counts up with every change of what an analysis finds in a layer, or of how it is written down: what another version
 * found is not used again.
 */
export const ANALYSER_VERSION = 2
