DROP TABLE ecr_uploads;
