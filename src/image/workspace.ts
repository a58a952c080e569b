/**
 * Working space of the image operations. To V8's optimizing compiler, an array that a module creates once and keeps to
 * itself is a constant: it knows its address and length, and an access takes a third of the time that one to an array
 * passed as an argument takes. Copying an image in and out costs next to nothing beside that. Hence the form of all
 * loops over pixels here, and what it takes for the compiler to see the constant (measured on V8 11.3):
 *
 * - the array is a `const` of the module that uses it, and not exported;
 * - a function takes it into a local `const` before its loops (inside nested loops it is no constant);
 * - {@link settleWorkspace} has run before the function is compiled.
 *
 * Operations are neither reentrant nor shared between threads; each thread loads its own copy of the modules.
 */

/** The largest image, in bytes, that operations take: 512 × 512 × 3. Space that no image reaches is never touched. */
export const MAX_IMAGE_BYTES = 512 * 512 * 3;

/**
 * Makes the thread's memory manager leave the region in which the workspace was created: the compiler, which runs
 * beside the main thread, does not look at objects that might still be under construction there.
 */
export function settleWorkspace(): void {
  Array.from({ length: 20_000 }, (_, i) => [i]);
}
