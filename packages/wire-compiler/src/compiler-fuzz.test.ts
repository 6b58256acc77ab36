/** The short form of compiler.fuzz.ts; in continuous integration it is a million. */
import { runMalformedSchemas } from './testing/malformed-schemas.ts';

runMalformedSchemas(process.env.CI === undefined ? 100_000 : 1_000_000, 3);
