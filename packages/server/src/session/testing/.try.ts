import { SessionHarness } from './session-harness.ts';
import fs from 'node:fs';
const cases = JSON.parse(fs.readFileSync(0,'utf8')) as string[];
const h = new SessionHarness({ store: {memoryBytes: 16<<20}});
let c = h.connect();
for (const x of cases) { if (x==='NEW') { c.close(); c=h.connect(); continue; } if (c.connection.isEnded) c=h.connect(); const o=c.ask(x)+(c.connection.isEnded?'<CLOSED>':''); console.log(JSON.stringify(x.length>90?x.slice(0,60)+'…'+x.length:x),' => ',JSON.stringify(o.length>400?o.slice(0,400)+'…'+o.length:o)); }
