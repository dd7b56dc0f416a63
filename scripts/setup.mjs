import { setUp } from './lib/prepare.mjs';

await setUp({ tests: process.argv.includes('--tests') });
console.log('Set-up is complete.');
