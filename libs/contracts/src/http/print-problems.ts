import { problemsPage } from './problems-page.js';

process.stdout.write(problemsPage());
