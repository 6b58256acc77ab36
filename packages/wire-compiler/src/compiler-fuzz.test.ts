/** The short form of compiler.fuzz.ts. */
import { runMalformedSchemas } from './testing/malformed-schemas.ts';

runMalformedSchemas(4000);
