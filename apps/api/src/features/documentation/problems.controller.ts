import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { problemKinds } from '@waybill/contracts/http';
import { Public } from '../../http/access-rule.js';

/** What the `type` of every problem points to. */
@ApiExcludeController()
@Controller('api/docs/problems')
export class ProblemsController {
  @Get()
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  page(): string {
    const rows = Object.entries(problemKinds).map(
      ([code, { status, title, help }]) => `<h2 id="${code}">${code}</h2><p>${status} ${escape(title)}</p><p>${escape(help)}</p>`,
    );
    return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Waybill: problems</title><h1>Problems</h1>${rows.join('\n')}</html>`;
  }
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
