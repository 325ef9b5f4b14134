ALTER TABLE codeconnections_deliveries ADD COLUMN payload TEXT;
UPDATE codeconnections_deliveries SET payload = json_extract(body, '$.payload');
CREATE INDEX codeconnections_deliveries_by_payload
  ON codeconnections_deliveries (account, region, connectionId, payload);
